/* Small products whose results stay in registers while they are summed up.
 *
 * A panel is two vectors wide. A panel array of [n, k] is [n / PANEL, k, PANEL]: what one tile reads lies side by side.
 */
#ifndef COSEREC_PRODUCTS_H
#define COSEREC_PRODUCTS_H

#include "vectors.h"

#define ROWS_AT_ONCE 128 /* of a panel: they stay in the nearest cache */
#define PANEL (2 * W)
#define TALL (W / 2) /* rows of a tile: with two vectors each, half of the registers */

/* [n, k] read with these steps -> panels */
INLINE void pack(const float *from, long across_n, long across_k, long n, long k, float *to) {
    for (long panel = 0; panel < n; panel += PANEL)
        for (long i = 0; i < k; i++)
            for (long j = 0; j < PANEL; j++) *to++ = from[(panel + j) * across_n + i * across_k];
}

/* sums [rows, PANEL] = a [rows, k] b [k, PANEL]; a's columns lie in panels that are `panel` apart */
INLINE void product(const int rows, floats sums[][2], const float *a, long down, long panel, long k, const float *b) {
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) sums[r][0] = sums[r][1] = (floats){0};
    for (long p = 0; p < k; p += PANEL, a += panel)
        for (long i = 0; i < PANEL; i++, b += PANEL) {
            const floats b0 = load(b), b1 = load(b + W);
#pragma GCC unroll 8
            for (int r = 0; r < rows; r++) {
                const float factor = a[r * down + i];
                sums[r][0] += factor * b0;
                sums[r][1] += factor * b1;
            }
        }
}

/* sums [4, PANEL] += gradient^T x over some rows, of four outputs; a block's sum is made in registers and then added,
 * which rounds less than one long sum */
INLINE void weight_tile(long rows, const float *gradient, long down_g, const float *x, long down_x, float *sums,
                        long down_s) {
    floats own[4][2];
#pragma GCC unroll 4
    for (int o = 0; o < 4; o++) own[o][0] = own[o][1] = (floats){0};
    for (long i = 0; i < rows; i++) {
        const floats x0 = load(x + i * down_x), x1 = load(x + i * down_x + W);
#pragma GCC unroll 4
        for (int o = 0; o < 4; o++) {
            own[o][0] += gradient[i * down_g + o] * x0;
            own[o][1] += gradient[i * down_g + o] * x1;
        }
    }
#pragma GCC unroll 4
    for (int o = 0; o < 4; o++) {
        float *to = sums + o * down_s;
        store(to, load(to) + own[o][0]);
        store(to + W, load(to + W) + own[o][1]);
    }
}

/* sums [outputs] += the rows' sum, made in `own` [outputs] and then added; outputs whole vectors */
INLINE void add_rows(const float *gradient, long down, long rows, long outputs, float *sums, float *own) {
    memset(own, 0, outputs * sizeof(float));
    for (long i = 0; i < rows; i++)
        for (long o = 0; o < outputs; o += W) store(own + o, load(own + o) + load(gradient + i * down + o));
    for (long o = 0; o < outputs; o++) sums[o] += own[o];
}

#endif

/* Small products whose results stay in registers while they are summed up. */
#ifndef COSEREC_PRODUCTS_H
#define COSEREC_PRODUCTS_H

#include "vectors.h"

/* sums [outputs, vectors W] += gradient^T x over some rows; a block's sum is made in registers and then added, which
 * rounds less than one long sum */
INLINE void weight_tile(const int outputs, const int vectors, long rows, const float *gradient, long down_g,
                        const float *x, long down_x, float *sums, long down_s, long left) {
    floats own[4][2];
#pragma GCC unroll 4
    for (int o = 0; o < outputs; o++) own[o][0] = own[o][1] = (floats){0};
    for (long i = 0; i < rows; i++) {
        floats x0 = load_some(x + i * down_x, left), x1 = vectors > 1 ? load(x + i * down_x + W) : x0;
#pragma GCC unroll 4
        for (int o = 0; o < outputs; o++) {
            own[o][0] += gradient[i * down_g + o] * x0;
            if (vectors > 1) own[o][1] += gradient[i * down_g + o] * x1;
        }
    }
#pragma GCC unroll 4
    for (int o = 0; o < outputs; o++) {
        float *to = sums + o * down_s;
        store_some(to, load_some(to, left) + own[o][0], left);
        if (vectors > 1) store(to + W, load(to + W) + own[o][1]);
    }
}

/* sums [outputs] += the rows' sum, made in `own` [outputs] and then added */
INLINE void add_rows(const float *gradient, long down, long rows, long outputs, float *sums, float *own) {
    memset(own, 0, outputs * sizeof(float));
    for (long i = 0; i < rows; i++)
        for (long o = 0; o < outputs; o += W) {
            const long left = outputs - o;
            store_some(own + o, load_some(own + o, left) + load_some(gradient + i * down + o, left), left);
        }
    for (long o = 0; o < outputs; o++) sums[o] += own[o];
}

#endif

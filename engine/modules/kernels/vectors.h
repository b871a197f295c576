/* Vectors of W floats in the compiler's own notation (GCC, Clang), which it turns into whatever the target has.
 *
 * Every kernel is compiled once for AVX2 and once for AVX-512; the program takes the one that its processor runs.
 */
#ifndef COSEREC_VECTORS_H
#define COSEREC_VECTORS_H

#include <stdint.h>
#include <string.h>

#ifdef __AVX512F__
#define W 16
#else
#define W 8
#endif

#define INLINE static inline __attribute__((always_inline))
#define EXPORT __attribute__((visibility("default")))

typedef float floats __attribute__((vector_size(4 * W)));
typedef int32_t ints __attribute__((vector_size(4 * W)));
typedef float loose_floats __attribute__((vector_size(4 * W), aligned(4), may_alias));
typedef int16_t loose_shorts __attribute__((vector_size(2 * W), aligned(2), may_alias));
typedef uint8_t loose_bytes __attribute__((vector_size(W), aligned(1), may_alias));
typedef float four __attribute__((vector_size(16)));
typedef int32_t four_ints __attribute__((vector_size(16)));

#if W == 16
#define LANES ((ints){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
#else
#define LANES ((ints){0, 1, 2, 3, 4, 5, 6, 7})
#endif
#define LANE_BITS (((ints){0} + 1) << LANES)

INLINE long padded(long n) { return (n + W - 1) / W * W; }
INLINE floats load(const float *from) { return *(const loose_floats *)from; }
INLINE void store(float *to, floats x) { *(loose_floats *)to = x; }
INLINE floats splat(float x) { return x - (floats){0}; }
INLINE floats pick(ints where, floats a, floats b) { return (floats)(((ints)a & where) | ((ints)b & ~where)); }
INLINE floats only(ints where, floats a) { return (floats)((ints)a & where); }

/* n floats of a vector, 0 for the others; n may be W or more */
INLINE floats load_some(const float *from, long n) {
    if (n >= W) return load(from);
    floats x = {0};
    for (long i = 0; i < n; i++) x[i] = from[i];
    return x;
}
INLINE void store_some(float *to, floats x, long n) {
    if (n >= W) store(to, x);
    else
        for (long i = 0; i < n; i++) to[i] = x[i];
}

INLINE four quarter(floats x, int i) {
    four part;
    memcpy(&part, (const char *)&x + 16 * i, 16);
    return part;
}
INLINE four halves_swapped(four x) { return (four){x[2], x[3], x[0], x[1]}; }

INLINE float sum_of(floats x) {
    four sum = quarter(x, 0) + quarter(x, 1);
#if W == 16
    sum += quarter(x, 2) + quarter(x, 3);
#endif
    sum += halves_swapped(sum);
    return sum[0] + sum[1];
}
INLINE four greater(four a, four b) {
    four_ints where = a > b;
    return (four)(((four_ints)a & where) | ((four_ints)b & ~where));
}
INLINE float greatest_of(floats x) {
    four top = greater(quarter(x, 0), quarter(x, 1));
#if W == 16
    top = greater(top, greater(quarter(x, 2), quarter(x, 3)));
#endif
    top = greater(top, halves_swapped(top));
    return top[0] > top[1] ? top[0] : top[1];
}

/* e^x for x <= 88: within 2 units in the last place; 0 below -87; what is no number stays none. x = n ln 2 + r, |r| <= ln 2 / 2, and e^r by its
 * Taylor polynomial, whose rest (r^8 / 8!) is below float32's rounding. */
INLINE floats exponential(floats x) {
    const floats rounding = splat(12582912.0f); /* 1.5 * 2^23: its sum with a small number has no fraction left */
    const ints too_small = x < -87.0f;
    x = pick(too_small, splat(-87.0f), x);
    floats shifted = x * 1.44269504f + rounding;
    ints n = (ints)shifted;
    floats whole = shifted - rounding;
    floats r = (x - whole * 0.693145752f) - whole * 1.42860677e-6f; /* ln 2 in two parts, the first one short */
    floats y = splat(1.0f / 5040);
    y = y * r + 1.0f / 720;
    y = y * r + 1.0f / 120;
    y = y * r + 1.0f / 24;
    y = y * r + 1.0f / 6;
    y = y * r + 0.5f;
    y = y * r + 1.0f;
    y = y * r + 1.0f;
    return pick(x == x, only(~too_small, (floats)((ints)y + (n << 23))), x);
}

/* Dropout: the randomness that `engine.modules.dropout` turns into masks of its own, element by element alike. */
typedef struct {
    const uint8_t *random;
    const uint8_t *end;
    int64_t mode;      /* 0: nothing is dropped; 1: a bit an element, kept or not; 2: sixteen bits an element */
    int64_t threshold; /* mode 2: draws from here on are kept */
    float scale;       /* of what is kept */
    float unused;
} dropout_t;

INLINE floats dropout_mask(const dropout_t *d, int64_t element) {
    if (d->mode == 1) {
        const uint8_t *from = d->random + (element >> 3);
        uint32_t bits = 0;
        if (from + 4 <= d->end) memcpy(&bits, from, 4);
        else memcpy(&bits, from, from < d->end ? d->end - from : 0);
        const ints own = (int32_t)(bits >> (element & 7)) & LANE_BITS;
        return only(own != 0, splat(d->scale));
    }
    const uint8_t *from = d->random + 2 * element;
    loose_shorts draws = {0};
    if (from + 2 * W <= d->end) draws = *(const loose_shorts *)from;
    else memcpy(&draws, from, from < d->end ? d->end - from : 0);
    return only(__builtin_convertvector(draws, ints) >= (int32_t)d->threshold, splat(d->scale));
}

#endif

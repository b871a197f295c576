/* Layer normalisation of the sum of two arrays of rows, with dropout, in one pass: what stands around every sublayer.
 *
 * Legend: M rows, d hidden size. z = x + mask * y, normalised (dropout before: a sublayer's output joins its input),
 * or mask * normalised(x + y) (dropout after: an item's embedding joins its position's).
 */
#include <math.h>

#include "team.h"
#include "vectors.h"

#define ROWS_AT_ONCE 128
#define WIDEST 1024

typedef struct {
    const float *x, *y;             /* [M, d], or tables of such rows */
    const int64_t *x_rows, *y_rows; /* [M], rows of the tables; NULL: row i for i */
    const float *weight, *bias;     /* [d] */
    float *out;                     /* [M, d] */
    float *moments;                 /* [M, 3]: mean, what rounding left of it, 1 / deviation */
    const float *gradient;          /* [M, d], of `out` */
    float *d_x, *d_y;               /* [M, d]; dropout after: d_y is NULL, being d_x */
    float *d_weights;               /* [pieces, 2, d]: each piece's share of weight's and bias's gradients */
    int64_t rows, size, x_count, y_count; /* the last two: rows of the tables */
    double eps;
    dropout_t dropout;
    int64_t drops_after;
    int64_t next_piece;
    int64_t strays; /* rows that the tables do not have */
} job_t;

EXPORT int64_t coserec_norm_rows_at_once(void) { return ROWS_AT_ONCE; }
EXPORT int64_t coserec_norm_widest(void) { return WIDEST; }
EXPORT int64_t coserec_norm_job(void) { return sizeof(job_t); }

/* How a row is gone through: `vectors` of them where the compiler may unroll it all into registers, else 0. */
#define FOR_EACH(v, k) for (long v = 0, k = 0; v < (vectors ? vectors : padded(d) / W); v++, k += W)
#define SOME(from, k) (vectors ? load((from) + (k)) : load_some((from) + (k), d - (k)))
#define PUT(to, k, x) (vectors ? store((to) + (k), x) : store_some((to) + (k), x, d - (k)))
#define REAL(k, x) (vectors ? (x) : only(LANES < (int32_t)(d - (k)), x))
#define MASK(i, k) dropout_mask(&job->dropout, (i) * d + (k))

/* z of W columns of row i */
INLINE floats joined(const job_t *job, int64_t i, long k, const int before, const long vectors) {
    const long d = job->size;
    const float *x = job->x + (job->x_rows ? job->x_rows[i] : i) * d, *y = job->y + (job->y_rows ? job->y_rows[i] : i) * d;
    floats added = SOME(y, k);
    return SOME(x, k) + (before ? added * MASK(i, k) : added);
}

INLINE void forward_row(const job_t *job, int64_t i, const int before, const int after, const long vectors) {
    const long d = job->size;
    floats z[WIDEST / W], sum = {0}, squares = {0};
    FOR_EACH(v, k) {
        z[v] = joined(job, i, k, before, vectors);
        sum += z[v];
    }
    const float mean = sum_of(sum) / d;
    floats off = {0};
    FOR_EACH(v, k) {
        z[v] = REAL(k, z[v] - mean);
        off += z[v];
    }
    /* The mean is rounded: of a row that is all alike, what that leaves would be all there is to be normalised. */
    const float rest = sum_of(off) / d;
    FOR_EACH(v, k) {
        z[v] = REAL(k, z[v] - rest);
        squares += z[v] * z[v];
    }
    const float variance = sum_of(squares) / d;
    const float inverse = variance < INFINITY ? 1 / sqrtf(variance + (float)job->eps) : NAN;
    FOR_EACH(v, k) {
        floats own = z[v] * inverse * SOME(job->weight, k) + SOME(job->bias, k);
        PUT(job->out + i * d, k, after ? own * MASK(i, k) : own);
    }
    job->moments[3 * i] = mean;
    job->moments[3 * i + 1] = rest;
    job->moments[3 * i + 2] = inverse;
}

/* d_z = (g w - mean(g w) - n mean(g w n)) / deviation, n being z normalised; g n and g go to weight and bias. */
INLINE void backward_row(const job_t *job, int64_t i, const int before, const int after, const long vectors,
                         floats *d_weight, floats *d_bias) {
    const long d = job->size;
    const float *moments = job->moments + 3 * i, mean = moments[0], rest = moments[1], inverse = moments[2];
    floats weighted[WIDEST / W], normal[WIDEST / W], sum = {0}, along = {0};
    FOR_EACH(v, k) {
        normal[v] = (joined(job, i, k, before, vectors) - mean - rest) * inverse;
        floats gradient = SOME(job->gradient + i * d, k);
        if (after) gradient *= MASK(i, k);
        d_weight[v] += gradient * normal[v];
        d_bias[v] += gradient;
        weighted[v] = gradient * SOME(job->weight, k);
        sum += weighted[v];
        along += weighted[v] * normal[v];
    }
    const float shared = sum_of(sum) / d, sloped = sum_of(along) / d;
    FOR_EACH(v, k) {
        floats own = (weighted[v] - shared - normal[v] * sloped) * inverse;
        PUT(job->d_x + i * d, k, own);
        if (job->d_y) PUT(job->d_y + i * d, k, before ? own * MASK(i, k) : own);
    }
}

INLINE void forward(job_t *job, const int before, const int after, const long vectors) {
    for (;;) {
        const int64_t first = take(&job->next_piece) * ROWS_AT_ONCE, last = first + ROWS_AT_ONCE;
        if (first >= job->rows) return;
        for (int64_t i = first; i < last && i < job->rows; i++) forward_row(job, i, before, after, vectors);
    }
}

INLINE void backward(job_t *job, const int before, const int after, const long vectors) {
    const long d = job->size;
    for (;;) {
        const int64_t piece = take(&job->next_piece), first = piece * ROWS_AT_ONCE, last = first + ROWS_AT_ONCE;
        if (first >= job->rows) return;
        floats d_weight[WIDEST / W], d_bias[WIDEST / W];
        FOR_EACH(v, k) d_weight[v] = d_bias[v] = (floats){0};
        for (int64_t i = first; i < last && i < job->rows; i++)
            backward_row(job, i, before, after, vectors, d_weight, d_bias);
        FOR_EACH(v, k) {
            PUT(job->d_weights + 2 * piece * d, k, d_weight[v]);
            PUT(job->d_weights + (2 * piece + 1) * d, k, d_bias[v]);
        }
    }
}

/* The widths that models have are unrolled; all others go through rows a vector at a time. */
#define BY_WIDTH(direction, before, after)                         \
    switch (job->size) {                                           \
    case 32: direction(job, before, after, 32 / W); break;         \
    case 64: direction(job, before, after, 64 / W); break;         \
    case 128: direction(job, before, after, 128 / W); break;       \
    default: direction(job, before, after, 0);                     \
    }
#define MEMBER(direction)                                          \
    static void direction##_member(void *given) {                  \
        job_t *job = given;                                        \
        if (!job->dropout.mode) BY_WIDTH(direction, 0, 0)          \
        else if (job->drops_after) BY_WIDTH(direction, 0, 1)       \
        else BY_WIDTH(direction, 1, 0)                             \
    }
MEMBER(forward)
MEMBER(backward)

static int64_t strays(const int64_t *rows, int64_t number, int64_t count) {
    int64_t found = 0;
    for (int64_t i = 0; rows && i < number; i++) found += rows[i] < 0 || rows[i] >= count;
    return found;
}

/* Does nothing but to count rows that the tables do not have, where there are such. */
EXPORT void coserec_norm(job_t *job, unsigned threads) {
    job->next_piece = 0;
    job->strays = strays(job->x_rows, job->rows, job->x_count) + strays(job->y_rows, job->rows, job->y_count);
    if (job->strays) return;
    coserec_team(forward_member, job, threads, 0);
}

EXPORT void coserec_norm_backward(job_t *job, unsigned threads) {
    job->next_piece = 0;
    coserec_team(backward_member, job, threads, 0);
}

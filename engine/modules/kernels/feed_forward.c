/* The feed-forward layer, act(x W1^T + b1) W2^T + b2, forward and backward: some rows at a time go all the way through,
 * so that nothing of the inner width leaves the processor's second cache but what the backward pass reads.
 *
 * Legend: M rows, d hidden size, F inner width; both whole panels.
 */
#include "activation.h"
#include "products.h"
#include "team.h"

typedef struct {
    const float *x;        /* [M, d] */
    const float *w1, *b1;  /* [F, d], [F] */
    const float *w2, *b2;  /* [d, F], [d] */
    float *wide;           /* [M, F]: x W1^T + b1; NULL where no backward pass will read it */
    float *out;            /* [M, d] */
    const float *gradient; /* [M, d], of `out` */
    float *d_x;            /* [M, d] */
    float *shares;         /* [members, coserec_feed_forward_shares(d, F)]: sums for W1, b1, W2, b2, and room for one of either */
    float *scratch;        /* [members, coserec_feed_forward_scratch(d, F)] */
    int64_t rows, size, width, activation, members;
    int64_t scratch_each, shares_each;
    int64_t next_member;
} job_t;

EXPORT int64_t coserec_feed_forward_job(void) { return sizeof(job_t); }
EXPORT int64_t coserec_feed_forward_scratch(int64_t size, int64_t width) {
    return 2 * size * width + 2 * ROWS_AT_ONCE * width;
}
EXPORT int64_t coserec_feed_forward_shares(int64_t size, int64_t width) {
    return 2 * size * width + width + size + (width > size ? width : size);
}

INLINE void widen(const job_t *job, const int which, const int rows, const float *x, long column, const float *w1,
                  float *wide, float *active) {
    floats sums[TALL][2], slope;
    product(rows, sums, x, job->size, PANEL, job->size, w1);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < 2; v++) {
            floats own = sums[r][v] + load(job->b1 + column + v * W), value;
            if (wide) store(wide + r * job->width + v * W, own);
            activate(which, own, &value, &slope);
            store(active + r * PANEL + v * W, value);
        }
}

INLINE void narrow(const job_t *job, const int rows, const float *inner, const float *weight, const float *bias, float *to) {
    floats sums[TALL][2];
    product(rows, sums, inner, PANEL, ROWS_AT_ONCE * PANEL, job->width, weight);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        store(to + r * job->size, bias ? sums[r][0] + load(bias) : sums[r][0]);
        store(to + r * job->size + W, bias ? sums[r][1] + load(bias + W) : sums[r][1]);
    }
}

INLINE void narrow_all(const job_t *job, long rows, const float *inner, const float *weight, const float *bias, float *to) {
    for (long o = 0; o < job->size; o += PANEL) {
        const float *own = weight + o * job->width, *shift = bias ? bias + o : 0;
#define NARROW(n) narrow(job, n, inner + r * PANEL, own, shift, to + r * job->size + o)
        long r = 0;
        for (; r + TALL <= rows; r += TALL) NARROW(TALL);
        for (; r < rows; r++) NARROW(1);
    }
}

INLINE void forward_block(const job_t *job, const int which, long first, long rows, const float *w1, const float *w2,
                          float *active) {
    const long d = job->size, F = job->width;
    for (long f = 0; f < F; f += PANEL) {
#define WIDEN(n)                                                                                        \
    widen(job, which, n, job->x + (first + r) * d, f, w1 + f * d, job->wide ? job->wide + (first + r) * F + f : 0, \
          active + (f / PANEL * ROWS_AT_ONCE + r) * PANEL)
        long r = 0;
        for (; r + TALL <= rows; r += TALL) WIDEN(TALL);
        for (; r < rows; r++) WIDEN(1);
    }
    narrow_all(job, rows, active, w2, job->b2, job->out + first * d);
}

/* From the gradient of the activations to that of what they were made of, and the activations once more. */
INLINE void steepen(const job_t *job, const int which, const int rows, const float *gradient, const float *w2,
                    const float *wide, float *active, float *d_wide) {
    floats sums[TALL][2];
    product(rows, sums, gradient, job->size, PANEL, job->size, w2);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
        for (int v = 0; v < 2; v++) {
            floats value, slope;
            activate(which, load(wide + r * job->width + v * W), &value, &slope);
            store(active + r * PANEL + v * W, value);
            store(d_wide + r * PANEL + v * W, sums[r][v] * slope);
        }
}

INLINE void weights_block(const job_t *job, long first, long rows, const float *active, const float *d_wide, float *shares) {
    const long d = job->size, F = job->width;
    const float *x = job->x + first * d, *gradient = job->gradient + first * d;
    float *d_w1 = shares, *d_b1 = d_w1 + F * d, *d_w2 = d_b1 + F, *d_b2 = d_w2 + d * F, *own = d_b2 + d;
    add_rows(gradient, d, rows, d, d_b2, own);
    for (long f = 0; f < F; f += PANEL, active += ROWS_AT_ONCE * PANEL, d_wide += ROWS_AT_ONCE * PANEL) {
        for (long o = 0; o < d; o += 4) weight_tile(rows, gradient + o, d, active, PANEL, d_w2 + o * F + f, F);
        for (long i = 0; i < d; i += PANEL)
            for (long o = 0; o < PANEL; o += 4)
                weight_tile(rows, d_wide + o, PANEL, x + i, d, d_w1 + (f + o) * d + i, d);
        add_rows(d_wide, PANEL, rows, PANEL, d_b1 + f, own);
    }
}

INLINE void backward_block(const job_t *job, const int which, long first, long rows, const float *w1, const float *w2,
                           float *active, float *shares) {
    const long d = job->size, F = job->width;
    float *d_wide = active + ROWS_AT_ONCE * F;
    for (long f = 0; f < F; f += PANEL) {
#define STEEPEN(n)                                                                                          \
    steepen(job, which, n, job->gradient + (first + r) * d, w2 + f * d, job->wide + (first + r) * F + f, \
            active + (f / PANEL * ROWS_AT_ONCE + r) * PANEL, d_wide + (f / PANEL * ROWS_AT_ONCE + r) * PANEL)
        long r = 0;
        for (; r + TALL <= rows; r += TALL) STEEPEN(TALL);
        for (; r < rows; r++) STEEPEN(1);
    }
    narrow_all(job, rows, d_wide, w1, 0, job->d_x + first * d);
    weights_block(job, first, rows, active, d_wide, shares);
}

/* Which rows are a member's, and so the order of the sums, follows from the number of members alone. */
INLINE void one_member(const job_t *job, int64_t own, const int which, const int is_backward) {
    const long d = job->size, F = job->width;
    const int64_t blocks = (job->rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    float *w1 = job->scratch + own * job->scratch_each, *w2 = w1 + d * F, *active = w2 + d * F;
    float *shares = job->shares + own * job->shares_each;
    if (is_backward) {
        memset(shares, 0, job->shares_each * sizeof(float));
        pack(job->w1, 1, d, d, F, w1);
        pack(job->w2, 1, F, F, d, w2);
    } else {
        pack(job->w1, d, 1, F, d, w1);
        pack(job->w2, F, 1, d, F, w2);
    }
    for (int64_t block = own * blocks / job->members; block < (own + 1) * blocks / job->members; block++) {
        const long first = block * ROWS_AT_ONCE, left = job->rows - first, rows = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
        if (is_backward) backward_block(job, which, first, rows, w1, w2, active, shares);
        else forward_block(job, which, first, rows, w1, w2, active);
    }
}

/* A team may be smaller than it was asked to be. */
#define MEMBER(name, is_backward)                                                                              \
    static void name(void *given) {                                                                            \
        job_t *job = given;                                                                                    \
        for (int64_t own = take(&job->next_member); own < job->members; own = take(&job->next_member)) {       \
            if (job->activation == GELU) one_member(job, own, GELU, is_backward);                              \
            else one_member(job, own, RELU, is_backward);                                                      \
        }                                                                                                      \
    }
MEMBER(forward_member, 0)
MEMBER(backward_member, 1)

EXPORT void coserec_feed_forward(job_t *job, unsigned threads) {
    job->next_member = 0;
    job->members = threads;
    coserec_team(forward_member, job, threads, 0);
}

EXPORT void coserec_feed_forward_backward(job_t *job, unsigned threads) {
    job->next_member = 0;
    job->members = threads;
    coserec_team(backward_member, job, threads, 0);
}

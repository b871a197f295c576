/* Gradients of a linear layer's weights and bias: a long sum over the rows of a narrow product.
 *
 * Legend: M rows, O outputs, I inputs.
 */
#include "products.h"
#include "team.h"

#define ROWS_AT_ONCE 128 /* of two vectors: they stay in the nearest cache */

typedef struct {
    const float *gradient; /* [M, O] */
    const float *x;        /* [M, I] */
    float *shares;         /* [members, O * I + 2 * O]: each one's sums of the weights and of the bias, and O to work with */
    int64_t rows, outputs, inputs, members;
    int64_t goes_on; /* adds to the sums that are there */
    int64_t next_member;
} job_t;

INLINE void tiles(const job_t *job, const int vectors, long j, long left, long rows, const float *gradient,
                  const float *x, float *sums) {
    const long O = job->outputs, I = job->inputs;
    long o = 0;
    for (; o + 4 <= O; o += 4) weight_tile(4, vectors, rows, gradient + o, O, x + j, I, sums + o * I + j, I, left);
    for (; o < O; o++) weight_tile(1, vectors, rows, gradient + o, O, x + j, I, sums + o * I + j, I, left);
}

/* Which rows are a member's, and so the order of the sums, follows from the number of members alone. */
static void one_member(const job_t *job, int64_t own) {
    const long O = job->outputs, I = job->inputs;
    const int64_t blocks = (job->rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    float *sums = job->shares + own * (O * I + 2 * O), *bias = sums + O * I;
    if (!job->goes_on) memset(sums, 0, (O * I + O) * sizeof(float));
    for (int64_t block = own * blocks / job->members; block < (own + 1) * blocks / job->members; block++) {
        const long first = block * ROWS_AT_ONCE, left = job->rows - first, rows = left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE;
        const float *gradient = job->gradient + first * O, *x = job->x + first * I;
        /* In their order in memory first, so that what the tiles skip about in is near already. */
        add_rows(gradient, O, rows, O, bias, bias + O);
        long j = 0;
        for (; j + 2 * W <= I; j += 2 * W) tiles(job, 2, j, 2 * W, rows, gradient, x, sums);
        for (; j < I; j += W) tiles(job, 1, j, I - j, rows, gradient, x, sums);
    }
}

/* A team may be smaller than it was asked to be. */
static void member(void *given) {
    job_t *job = given;
    for (int64_t own = take(&job->next_member); own < job->members; own = take(&job->next_member)) one_member(job, own);
}

EXPORT void coserec_weight_gradient(job_t *job, unsigned threads) {
    job->next_member = 0;
    job->members = threads;
    coserec_team(member, job, threads, 0);
}

/* The backward pass of a linear layer, x W^T + b: some rows at a time, read once for all three gradients.
 *
 * Legend: M rows, O outputs, I inputs; both whole panels.
 */
#include "products.h"
#include "team.h"

typedef struct {
    const float *gradient; /* [M, O], of the output */
    const float *x;        /* [M, I] */
    const float *weight;   /* [O, I] */
    float *d_x;            /* [M, I] */
    float *shares;         /* [members, O * I + 2 * O]: each one's sums for W and b, and O to work with */
    float *scratch;        /* [members, O * I] */
    int64_t rows, outputs, inputs, members;
    int64_t next_member;
} job_t;

EXPORT int64_t coserec_linear_job(void) { return sizeof(job_t); }

INLINE void input_tile(const job_t *job, const int rows, const float *gradient, const float *weight, float *to) {
    floats sums[TALL][2];
    product(rows, sums, gradient, job->outputs, PANEL, job->outputs, weight);
#pragma GCC unroll 8
    for (int r = 0; r < rows; r++) {
        store(to + r * job->inputs, sums[r][0]);
        store(to + r * job->inputs + W, sums[r][1]);
    }
}

static void block(const job_t *job, long first, long rows, const float *weight, float *shares) {
    const long O = job->outputs, I = job->inputs;
    const float *gradient = job->gradient + first * O, *x = job->x + first * I;
    float *d_x = job->d_x + first * I, *bias = shares + O * I;
    /* Goes through the rows in their order in memory, so that what the tiles skip about in is near then. */
    add_rows(gradient, O, rows, O, bias, bias + O);
    for (long i = 0; i < I; i += PANEL) {
        long r = 0;
        for (; r + TALL <= rows; r += TALL) input_tile(job, TALL, gradient + r * O, weight + i * O, d_x + r * I + i);
        for (; r < rows; r++) input_tile(job, 1, gradient + r * O, weight + i * O, d_x + r * I + i);
        for (long o = 0; o < O; o += 4) weight_tile(rows, gradient + o, O, x + i, I, shares + o * I + i, I);
    }
}

/* Which rows are a member's, and so the order of the sums, follows from the number of members alone. */
static void one_member(const job_t *job, int64_t own) {
    const long O = job->outputs, I = job->inputs;
    const int64_t blocks = (job->rows + ROWS_AT_ONCE - 1) / ROWS_AT_ONCE;
    float *shares = job->shares + own * (O * I + 2 * O), *weight = job->scratch + own * O * I;
    memset(shares, 0, (O * I + O) * sizeof(float));
    pack(job->weight, 1, I, I, O, weight);
    for (int64_t number = own * blocks / job->members; number < (own + 1) * blocks / job->members; number++) {
        const long first = number * ROWS_AT_ONCE, left = job->rows - first;
        block(job, first, left < ROWS_AT_ONCE ? left : ROWS_AT_ONCE, weight, shares);
    }
}

/* A team may be smaller than it was asked to be. */
static void member(void *given) {
    job_t *job = given;
    for (int64_t own = take(&job->next_member); own < job->members; own = take(&job->next_member)) one_member(job, own);
}

EXPORT void coserec_linear_backward(job_t *job, unsigned threads) {
    job->next_member = 0;
    job->members = threads;
    coserec_team(member, job, threads, 0);
}

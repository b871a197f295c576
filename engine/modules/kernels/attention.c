/* Attention of short sequences, a sequence and a head at a time, all of it in the processor's nearest cache.
 *
 * Legend: L slots of a sequence, P of them with idle ones up to whole vectors; d hidden size, H heads, D = d / H with
 * idle columns up to whole vectors. Equations: softmax(Q K^T / sqrt(d / H)) V with dropout on the probabilities.
 * Nothing of size L x L is kept for the backward pass: it computes the probabilities again from two numbers a query.
 */
#include <math.h>

#include "team.h"
#include "vectors.h"

/* `count` sequences of `length` slots from slot `start` on. A query must not see a key where `hidden` is not 0. */
typedef struct {
    int64_t start, count, length;
    const uint8_t *hidden, *hidden_end;
    int64_t hidden_across_sequences, hidden_across_queries;
    int64_t first_element; /* of its probabilities [H, count, length, length], for dropout */
    int64_t at_once;       /* sequences that one piece of work holds */
} group_t;

typedef struct {
    const float *projected; /* [M, 3 d]: query, key, value side by side */
    float *out;             /* [M, d] */
    float *softmax;         /* [M, H, 2]: greatest score, 1 / sum of exponentials */
    const float *gradient;  /* [M, d], of `out` */
    float *d_projected;     /* [M, 3 d] */
    const group_t *groups;
    int64_t group_count, heads, size;
    dropout_t dropout;
    float *scratch; /* [threads, coserec_attention_scratch(longest, d / H)] */
    int64_t scratch_each, next_piece, next_member;
} job_t;

EXPORT int64_t coserec_attention_job(void) { return sizeof(job_t); }
EXPORT int64_t coserec_attention_group(void) { return sizeof(group_t); }

typedef void one_t(const job_t *job, const group_t *group, long sequence, long head, float *scratch);

EXPORT int64_t coserec_attention_scratch(int64_t longest, int64_t head_size) {
    return 6 * padded(longest) * padded(head_size) + 2 * padded(longest) * padded(longest) + padded(longest);
}

/* c [rows, vectors W] = a [rows, k] b [k, vectors W], held in registers all the while */
INLINE void tile(const int rows, const int vectors, long k, const float *a, long down_a, long right_a, const float *b,
                 long down_b, float *c, long down_c) {
    floats sums[5][2];
#pragma GCC unroll 5
    for (int r = 0; r < rows; r++) sums[r][0] = sums[r][1] = (floats){0};
    for (long i = 0; i < k; i++) {
        floats b0 = load(b + i * down_b), b1 = vectors > 1 ? load(b + i * down_b + W) : b0;
#pragma GCC unroll 5
        for (int r = 0; r < rows; r++) {
            float factor = a[r * down_a + i * right_a];
            sums[r][0] += factor * b0;
            if (vectors > 1) sums[r][1] += factor * b1;
        }
    }
#pragma GCC unroll 5
    for (int r = 0; r < rows; r++) {
        store(c + r * down_c, sums[r][0]);
        if (vectors > 1) store(c + r * down_c + W, sums[r][1]);
    }
}

INLINE void tiles(const int vectors, long m, long k, const float *a, long down_a, long right_a, const float *b,
                  long down_b, float *c, long down_c) {
    long r = 0;
    for (; r + 5 <= m; r += 5) tile(5, vectors, k, a + r * down_a, down_a, right_a, b, down_b, c + r * down_c, down_c);
    a += r * down_a, c += r * down_c;
    switch (m - r) {
    case 4: tile(4, vectors, k, a, down_a, right_a, b, down_b, c, down_c); break;
    case 3: tile(3, vectors, k, a, down_a, right_a, b, down_b, c, down_c); break;
    case 2: tile(2, vectors, k, a, down_a, right_a, b, down_b, c, down_c); break;
    case 1: tile(1, vectors, k, a, down_a, right_a, b, down_b, c, down_c); break;
    }
}

/* c [m, n] = a [m, k] b [k, n], n whole vectors; a's strides are free, so a turned one costs nothing */
INLINE void product(long m, long n, long k, const float *a, long down_a, long right_a, const float *b, float *c) {
    long j = 0;
    for (; j + 2 * W <= n; j += 2 * W) tiles(2, m, k, a, down_a, right_a, b + j, n, c + j, n);
    if (j < n) tiles(1, m, k, a, down_a, right_a, b + j, n, c + j, n);
}

/* rows [length, width] with `across` between them -> [length, D], scaled, idle columns 0 */
INLINE void gather(const float *rows, long across, long length, long width, float factor, float *to) {
    const long D = padded(width);
    for (long i = 0; i < length; i++)
        for (long k = 0; k < D; k += W) store(to + i * D + k, load_some(rows + i * across + k, width - k) * factor);
}

/* the same turned -> [width, P] with idle columns 0 */
INLINE void gather_turned(const float *rows, long across, long length, long width, float *to) {
    const long P = padded(length);
    for (long k = 0; k < width; k++) {
        for (long i = 0; i < length; i++) to[k * P + i] = rows[i * across + k];
        for (long i = length; i < P; i++) to[k * P + i] = 0;
    }
}

INLINE void scatter(const float *from, long length, long width, float factor, float *rows, long across) {
    const long D = padded(width);
    for (long i = 0; i < length; i++)
        for (long k = 0; k < D; k += W) store_some(rows + i * across + k, load(from + i * D + k) * factor, width - k);
}

/* which of W keys are seen */
INLINE ints seen(const group_t *group, const uint8_t *hidden, long left) {
    loose_bytes bytes = {0};
    if (hidden + W <= group->hidden_end) bytes = *(const loose_bytes *)hidden;
    else memcpy(&bytes, hidden, group->hidden_end - hidden);
    return (__builtin_convertvector(bytes, ints) == 0) & (LANES < (int32_t)left);
}

/* One row of scores -> exponentials, thinned by dropout; tells the greatest score and 1 / their sum before dropout. */
INLINE void softmax_row(const job_t *job, const group_t *group, const uint8_t *hidden, int64_t element, float *row,
                        float *told) {
    const long L = group->length;
    floats top = splat(-INFINITY), sum = {0};
    for (long k = 0; k < L; k += W) {
        floats score = pick(seen(group, hidden + k, L - k), load(row + k), splat(-INFINITY));
        store(row + k, score);
        top = pick(score > top, score, top);
    }
    const float greatest = greatest_of(top);
    for (long k = 0; k < L; k += W) {
        floats score = load(row + k);
        floats share = only(score != -INFINITY, exponential(score - greatest));
        sum += share;
        if (job->dropout.mode) share *= dropout_mask(&job->dropout, element + k);
        store(row + k, share);
    }
    const float total = sum_of(sum);
    told[0] = total == 0 ? 0 : greatest; /* a query that sees nothing gets nothing */
    told[1] = total == 0 ? 0 : 1 / total;
}

static void forward(const job_t *job, const group_t *group, long sequence, long head, float *scratch) {
    const long L = group->length, P = padded(L), width = job->size / job->heads, D = padded(width), across = 3 * job->size;
    const long first = group->start + sequence * L;
    const float *rows = job->projected + first * across + head * width;
    const uint8_t *hidden = group->hidden + sequence * group->hidden_across_sequences;
    const int64_t element = group->first_element + (head * group->count + sequence) * L * L;
    float *query = scratch, *key_turned = query + P * D, *value = key_turned + P * D, *result = value + P * D;
    float *share = result + P * D;
    gather(rows, across, L, width, 1 / sqrtf(width), query);
    gather_turned(rows + job->size, across, L, width, key_turned);
    gather(rows + 2 * job->size, across, L, width, 1, value);
    product(L, P, width, query, D, 1, key_turned, share);
    for (long i = 0; i < L; i++) {
        float *told = job->softmax + 2 * ((first + i) * job->heads + head);
        softmax_row(job, group, hidden + i * group->hidden_across_queries, element + i * L, share + i * P, told);
    }
    product(L, D, L, share, P, 1, value, result);
    for (long i = 0; i < L; i++) {
        const float *told = job->softmax + 2 * ((first + i) * job->heads + head);
        scatter(result + i * D, 1, width, told[1], job->out + (first + i) * job->size + head * width, job->size);
    }
}

/* One row of scores -> probabilities thinned by dropout; of their gradients -> that of the scores before scaling.
 * `common` = sum over keys of thinned probability x its gradient = output . its gradient. */
INLINE void backward_row(const job_t *job, const group_t *group, const uint8_t *hidden, int64_t element,
                         const float *told, float common, float *row, float *d_row) {
    const long L = group->length;
    for (long k = 0; k < L; k += W) {
        floats share = exponential(load(row + k) - told[0]) * told[1];
        share = only(seen(group, hidden + k, L - k), share);
        floats d_share = load(d_row + k), thinned = share;
        if (job->dropout.mode) {
            floats mask = dropout_mask(&job->dropout, element + k);
            thinned = share * mask;
            d_share *= mask;
        }
        store(row + k, thinned);
        store(d_row + k, share * (d_share - common));
    }
}

static void backward(const job_t *job, const group_t *group, long sequence, long head, float *scratch) {
    const long L = group->length, P = padded(L), width = job->size / job->heads, D = padded(width), across = 3 * job->size;
    const long first = group->start + sequence * L;
    const float scale = 1 / sqrtf(width);
    const float *rows = job->projected + first * across + head * width;
    const uint8_t *hidden = group->hidden + sequence * group->hidden_across_sequences;
    const int64_t element = group->first_element + (head * group->count + sequence) * L * L;
    float *query = scratch, *key = query + P * D, *turned = key + P * D, *gradient = turned + P * D;
    float *result = gradient + P * D, *out = result + P * D, *share = out + P * D, *d_share = share + P * P;
    gather(rows, across, L, width, scale, query);
    gather_turned(rows + job->size, across, L, width, turned);
    product(L, P, width, query, D, 1, turned, share);
    gather(job->gradient + first * job->size + head * width, job->size, L, width, 1, gradient);
    gather_turned(rows + 2 * job->size, across, L, width, turned);
    product(L, P, width, gradient, D, 1, turned, d_share);
    gather(job->out + first * job->size + head * width, job->size, L, width, 1, out);
    for (long i = 0; i < L; i++) {
        floats common = {0};
        for (long k = 0; k < D; k += W) common += load(out + i * D + k) * load(gradient + i * D + k);
        const float *told = job->softmax + 2 * ((first + i) * job->heads + head);
        backward_row(job, group, hidden + i * group->hidden_across_queries, element + i * L, told, sum_of(common),
                     share + i * P, d_share + i * P);
    }
    float *target = job->d_projected + first * across + head * width;
    gather(rows + job->size, across, L, width, scale, key);
    product(L, D, L, d_share, P, 1, key, result);
    scatter(result, L, width, 1, target, across);
    product(L, D, L, d_share, 1, P, query, result);
    scatter(result, L, width, 1, target + job->size, across);
    product(L, D, L, share, 1, P, gradient, result);
    scatter(result, L, width, 1, target + 2 * job->size, across);
}

INLINE void work_off(job_t *job, one_t *one) {
    float *scratch = job->scratch + take(&job->next_member) * job->scratch_each;
    for (;;) {
        int64_t piece = take(&job->next_piece), number = 0;
        const group_t *group = job->groups;
        for (; number < job->group_count; number++, group++) {
            const int64_t pieces = (group->count + group->at_once - 1) / group->at_once;
            if (piece < pieces) break;
            piece -= pieces;
        }
        if (number == job->group_count) return;
        const int64_t begin = piece * group->at_once, last = begin + group->at_once;
        for (int64_t sequence = begin; sequence < last && sequence < group->count; sequence++)
            for (int64_t head = 0; head < job->heads; head++) one(job, group, sequence, head, scratch);
    }
}

static void forward_member(void *job) { work_off(job, forward); }
static void backward_member(void *job) { work_off(job, backward); }

EXPORT void coserec_attend(job_t *job, unsigned threads) {
    job->next_piece = job->next_member = 0;
    coserec_team(forward_member, job, threads, 0);
}

EXPORT void coserec_attend_backward(job_t *job, unsigned threads) {
    job->next_piece = job->next_member = 0;
    coserec_team(backward_member, job, threads, 0);
}

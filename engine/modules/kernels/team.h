/* Sharing work out among the threads that PyTorch computes with.
 *
 * Threads of our own would compete for the cores with PyTorch's, which spin for a while when they are done; so its own
 * team is asked, by the function of the OpenMP runtime that it has loaded.
 */
#ifndef COSEREC_TEAM_H
#define COSEREC_TEAM_H

#include <stdint.h>

typedef void (*member_t)(void *job);
typedef void (*team_t)(member_t member, void *job, unsigned threads, unsigned flags);

extern team_t coserec_team;

/* Pieces are taken one by one by whoever is free; none depends on who that is. */
static inline int64_t take(int64_t *next) { return __atomic_fetch_add(next, 1, __ATOMIC_RELAXED); }

#endif

#include "team.h"
#include "vectors.h"

team_t coserec_team;

EXPORT void coserec_use_team(team_t team) { coserec_team = team; }

/* Raised with every change of a C file: what the Python side was written for, and what a run's record calls it by. */
EXPORT int64_t coserec_version(void) { return 4; }

/* So that every Python extension is one: nothing imports it. */
EXPORT void *PyInit__avx2(void) { return 0; }
EXPORT void *PyInit__avx512(void) { return 0; }

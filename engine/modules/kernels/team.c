#include "team.h"
#include "vectors.h"

team_t coserec_team;

EXPORT void coserec_use_team(team_t team) { coserec_team = team; }

/* What the Python side was written for: raised with every change of a structure or of a function's arguments. */
EXPORT int64_t coserec_interface(void) { return 3; }

/* So that every Python extension is one: nothing imports it. */
EXPORT void *PyInit__avx2(void) { return 0; }
EXPORT void *PyInit__avx512(void) { return 0; }

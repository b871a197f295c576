"""One run from start to end: launched as a process of its own, recorded by itself, swept when it is gone."""

"""The command line: ``coserec`` and ``python -m engine``. Starts fast: a command imports what it needs when it runs.

``--json`` prints one JSON object to standard output; logs, progress and errors go to standard error. Exit codes: 0
done, 1 failed, 2 wrong use; 128 + n where the signal n has ended a command that trains (143: SIGTERM).
"""

from __future__ import annotations

import click

from engine.cli import (
    comparing,
    data,
    importing,
    leaderboard,
    queueing,
    recommending,
    results,
    runs,
    train,
)
from engine.cli.frame import EngineGroup, engine_version


@click.group(cls=EngineGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120})
@click.version_option(engine_version(), prog_name="coserec")
def main() -> None:
    """Sequential recommendation with CoSeRec: look at data, train, evaluate, keep every run.

    DATA is a data file, or 'sample' for the bundled shop. Exit codes: 0 done, 1 failed, 2 wrong use.
    """


for _command in (
    command
    for group in (data, importing, train, runs, queueing, comparing, recommending, leaderboard, results)
    for command in group.COMMANDS
):
    main.add_command(_command)

"""``python -m tests.benchmarks NAME …`` or ``make bench BENCH="NAME …"``: speed and memory, by hand, not in the suite.

Medians and ratios of one run; machines are noisy, so compare only what one call measured. ``--json`` prints one object.
"""

from __future__ import annotations

import argparse
import importlib
import json
import platform
import sys

NAMES = (
    *("captured", "epoch", "false_positives", "first_metric", "importing", "inspection", "losses", "models", "runs"),
    *("scale", "window"),
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON object to standard output")
    commands = parser.add_subparsers(dest="name", required=True)
    modules = {name: importlib.import_module(f"tests.benchmarks.{name}") for name in NAMES}
    for name, module in modules.items():
        module.arguments(commands.add_parser(name, help=(module.__doc__ or "").split("\n")[0]))
    chosen = parser.parse_args()
    figures = modules[chosen.name].measure(chosen)
    figures["machine"] = f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}"
    if chosen.json:
        print(json.dumps(figures))
    else:
        width = max(map(len, figures))
        for key, value in figures.items():
            shown = f"{value:.4g}" if isinstance(value, float) else str(value)
            print(f"{key:<{width}}  {shown}", file=sys.stdout)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

"""`python -m benchmarks` lists the benchmarks; `python -m benchmarks NAME --json out.json` runs one."""

import argparse
import importlib
import json
import sys
from pathlib import Path

# One module each, with `run() -> list[Row]`; the first line of its docstring is what the list shows.
BENCHMARKS = (
    "lif_rate", "bootstrap", "import_time", "brunel", "brunel_peers", "brunel_batch", "delivery", "sweep", "growth",
    "sweep_ways", "gradient", "rates", "hodgkin_huxley", "surrogate", "learning", "heavy_tails", "microcircuit",
)  # fmt: skip
# Evidence, not speed: printed the same way, with no peer.
EVIDENCE = (
    "theory_time",
    "conductance",
    "errata",
    "binary",
    "brunel_states",
    "stability",
    "hopfield",
    "audit",
    "tasks",
    "trace_depth",
    "gpu_programs",
    "waves",
    "network_fig13",
    "kills",
)


def _summary(name: str) -> str:
    text = (Path(__file__).parent / f"{name}.py").read_text()
    return text.split('"""')[1].splitlines()[0]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Runs one benchmark beside its peers.")
    parser.add_argument("name", nargs="?", choices=(*BENCHMARKS, *EVIDENCE), help="left out: list them")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows, versions and device here")
    return parser


def main() -> int:
    options = _parser().parse_args()
    if options.name is None:
        for name in (*BENCHMARKS, *EVIDENCE):
            print(f"{name:12s} {_summary(name)}")
        return 0
    from ._report import device, table, versions

    rows = importlib.import_module(f".{options.name}", __package__).run()
    print(table(rows))
    if options.json is not None:
        report = {"benchmark": options.name, "versions": versions(), "device": device(), "rows": rows}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""How often 95 % intervals hold the hidden truth; how far off fits are; how often the true model is rejected.

    python benchmarks/twin_coverage.py --store DIR [--fits 500] [--models vteam] [--seconds 200] [--publish]

The hidden devices are those of the tests (``tests/twins/twins_hidden.py``). Every fit is a line of
``DIR/NAME.jsonl``; a run goes on where the one before stopped and ends after ``--seconds`` of CPU.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from harness import publish
from kept_lines import KeptLines

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "twins"))
from twins_hidden import CASES  # noqa: E402

GOAL = "91.5-98.5 %"


def fitted(name: str, seed: int) -> dict:
    """One fit: which intervals hold the truth, relative errors, verdict."""
    case = CASES[name]
    fit = case.fit(seed)
    inside, error = {}, {}
    for key, truth in case.truth.items():
        low, high = fit.parameters[key].interval
        inside[key] = bool(low <= truth <= high)
        error[key] = fit.parameters[key].value / truth - 1
    return {"inside": inside, "error": error, "verdict": fit.verdict}


def row(name: str, lines: list[dict]) -> str:
    shares = {key: np.mean([line["inside"][key] for line in lines]) for key in CASES[name].truth}
    errors = {key: np.mean([line["error"][key] for line in lines]) for key in CASES[name].truth}
    worst = max(errors, key=lambda key: abs(errors[key]))
    own = np.std([line["error"][worst] for line in lines]) / np.sqrt(len(lines))
    rejected = np.mean([line["verdict"] != "describes" for line in lines])
    cover = ", ".join(f"{key} {100 * share:.1f}" for key, share in shares.items())
    cpu = sum(line["seconds"] for line in lines)
    return (
        f"| {name} | {len(lines)} | {cover} | {100 * errors[worst]:+.2f} ± {100 * own:.2f} % ({worst}) | "
        f"{100 * rejected:.1f} % | {cpu:.0f} s |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--store", type=Path, required=True)
    parser.add_argument("--fits", type=int, default=500)
    parser.add_argument("--models", nargs="+", choices=list(CASES), default=list(CASES))
    parser.add_argument("--seconds", type=float, default=1e9)
    parser.add_argument("--publish", action="store_true")
    given = parser.parse_args()
    kept = KeptLines(given.store, "seed")
    kept.collect(given.models, given.fits, fitted, given.seconds)
    lines = [
        f"| hidden model | fits | intervals that hold the truth, % (goal {GOAL}) | "
        "largest mean error (goal 2 %) | true model rejected | CPU |",
        "|---|---|---|---|---|---|",
        *(row(name, lines) for name in given.models if (lines := kept.of(name))),
        "",
        "Relative errors of offsets near zero are scatter: the truth is a hundredth of the signal or less.",
    ]
    print("\n".join(lines))
    if given.publish:
        command = f"python benchmarks/twin_coverage.py --store DIR --fits {given.fits}"
        publish("Fits cover the hidden truth", command, lines)


if __name__ == "__main__":
    main()

"""How cost grows: with devices, batch, the items of a record, the size of a session.

    OMP_NUM_THREADS=1 python benchmarks/growth.py [--only devices] [--largest 1000000] [--publish]

Points lie in ``runs/growth`` (--folder); those already there are not measured again.

CPU time of one item for ever larger works; each in a process of its own that this one forks, so that its
peak memory is its own. "Order" is the slope between the last two sizes, log over log: 1 where ten times as
much costs ten times as much. Memory is what the work needed on top of its inputs at the largest size. Linux.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import re
import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import torch
from growth_works import FOLDER, GROWTH, Series, Work
from harness import publish, seconds

FIGURE = Path(__file__).parents[1] / "docs/figures/growth.png"
ENOUGH_SECONDS, MOST = 0.3, 9
_FORK = multiprocessing.get_context("fork")


@dataclass(frozen=True)
class Point:
    """One size: CPU seconds of the whole work, and the bytes that it needed at its peak."""

    size: int
    seconds: float
    bytes: int


def point(series: Series, size: int) -> Point:
    """Measure in a fork."""
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=_told, args=(series, size, theirs))
    process.start()
    theirs.close()
    took, peak = ours.recv()
    process.join()
    return Point(size, took, peak)


class Points:
    """Points that are kept in a file, a line each."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "points.jsonl"
        text = self._file.read_text() if self._file.exists() else ""
        self._known = {
            (one.pop("of"), one["size"]): Point(**one) for one in map(json.loads, text.splitlines())
        }

    def of(self, series: Series, size: int) -> Point:
        """Return a point, measured where it is not known."""
        known = self._known.get((series.name, size))
        return known or self._keep(series.name, point(series, size))

    def _keep(self, name: str, new: Point) -> Point:
        with self._file.open("a") as file:
            file.write(json.dumps({"of": name, **asdict(new)}) + "\n")
        print(f"{name}: {new}", flush=True)
        return new


def _told(series: Series, size: int, to: Connection) -> None:
    series.made(series.sizes[0])()  # loads compiled kernels
    work = series.made(size)
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
    before = _memory("VmRSS")
    first = _cpu(work)
    peak = _memory("VmHWM") - before
    to.send((first if series.once else _median(work, first), max(0, peak)))


def _median(work: Work, first: float) -> float:
    times, spent = [], 0.0
    while len(times) < MOST and (not times or spent + first < ENOUGH_SECONDS):
        times.append(_cpu(work))
        spent += times[-1]
    return statistics.median(times)


def _cpu(work: Work) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def _memory(what: str) -> int:
    found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def table(axis: str, found: dict[Series, list[Point]]) -> list[str]:
    """Return a table of seconds an item, a column a size."""
    sizes = sorted({one.size for points in found.values() for one in points})
    lines = [
        f"| {axis}: CPU time of | {' | '.join(f'{size:,}' for size in sizes)} | order | memory an item |",
        "|---" * (len(sizes) + 3) + "|",
    ]
    for series, points in found.items():
        each = {one.size: seconds(one.seconds / one.size / series.items) for one in points}
        cells = " | ".join(each.get(size, "") for size in sizes)
        memory = points[-1].bytes / points[-1].size / series.items
        lines.append(f"| {series.name} | {cells} | {order(points):.2f} | {memory:,.0f} B |")
    return lines


def order(points: Sequence[Point]) -> float:
    """Return the slope between the last two sizes."""
    a, b = points[-2:]
    return math.log(b.seconds / a.seconds) / math.log(b.size / a.size)


def figure(found: dict[str, dict[Series, list[Point]]]) -> None:
    """Draw seconds over size, a panel an axis; grey lines are proportional growth."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams["axes.prop_cycle"] = pyplot.cycler(
        color=[*pyplot.get_cmap("tab20").colors[::2], "k", "0.6"]
    )
    plot, panels = pyplot.subplots(2, 2, figsize=(12, 7), layout="constrained")
    for panel, (axis, ofs) in zip(panels.flat, found.items(), strict=True):
        for series, points in ofs.items():
            panel.loglog(
                [one.size for one in points], [one.seconds for one in points], "o-", ms=3, label=series.name
            )
        (low, high), (bottom, top) = panel.get_xlim(), panel.get_ylim()
        for k in range(-9, 4):
            panel.plot([low, high], [low * 10.0**k, high * 10.0**k], color="0.9", zorder=0)
        panel.set(xlim=(low, high), ylim=(bottom, top), xlabel=axis, ylabel="CPU time (s)")
        panel.legend(fontsize="x-small", loc="upper left", bbox_to_anchor=(1, 1), frameon=False)
    plot.savefig(FIGURE, dpi=80, pil_kwargs={"optimize": True})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=tuple(GROWTH))
    parser.add_argument("--largest", type=int, default=10**6)
    parser.add_argument("--folder", type=Path, default=Path("runs/growth"))
    parser.add_argument("--publish", action="store_true")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, dict[Series, list[Point]]] = {}
    lines: list[str] = []
    kept = Points(asked.folder)
    with FOLDER:
        for axis in [asked.only] if asked.only else GROWTH:
            for series in GROWTH[axis]:
                points = [kept.of(series, size) for size in series.sizes if size <= asked.largest]
                found.setdefault(axis, {})[series] = points
            lines += [*table(axis, found[axis]), ""]
    print("\n".join(lines))
    if asked.publish:
        figure(found)
        publish("How cost grows", "OMP_NUM_THREADS=1 python benchmarks/growth.py --publish", lines)


if __name__ == "__main__":
    main()

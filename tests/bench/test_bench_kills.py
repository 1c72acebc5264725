"""Killed with SIGKILL while it drives: the guard makes the bench safe, instruments in another process."""

from __future__ import annotations

import os
import random
import statistics
import time

import pytest
from bench_served import Served, end, start

pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals and signals of POSIX")

WAYS = ("idle", "sweep", "burst", "query", "relay")
"""Output on; in a list sweep; burst armed; a query outstanding; between a relay and an output command."""


def killed(served: Served, what: str, after: float = 0.0) -> float:
    """Kill a driving program; return the seconds until the bench is safe."""
    process = start(served, what)
    time.sleep(after)
    if what in ("idle", "sweep", "burst"):
        assert served.ask("smu", b":OUTP?\n") == b"1"
    if what == "burst":
        assert served.ask("pulser", b":OUTP1?\n") == b"1"
    process.kill()
    waited = served.seconds_until_safe()
    end(process)
    assert waited is not None, f"not safe after a kill in {what!r}"
    return waited


@pytest.mark.parametrize("what", WAYS)
def test_the_guard_makes_the_bench_safe_when_the_program_is_killed(served: Served, what: str) -> None:
    killed(served, what, after=0.05)
    assert served.is_safe(), "something has gone on again"


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_hundred_kills_at_random_moments(served: Served) -> None:
    """Also a measurement: `pytest -m slow -s` prints the times; on a loaded computer they are longer."""
    draws, times = random.Random(1), []
    for k in range(int(os.environ.get("LABTRAIN_KILLS", "100"))):
        times.append(killed(served, WAYS[k % len(WAYS)], after=draws.uniform(0.0, 0.3)))
    times.sort()
    print(f"\n{len(times)} kills: median {statistics.median(times):.2f} s, longest {times[-1]:.2f} s")

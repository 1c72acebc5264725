"""``labtrain bench off``: the safe state now, even while another program holds the bench."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from labtrain.bench.connecting import open_link
from labtrain.bench.planning import read_setup
from labtrain.bench.safe_off import OFF, all_off
from labtrain.links.link import Link


def bench_off(file: str | Path) -> dict[str, Any]:
    """Switch every instrument with a real address off; takes no lock, asks nobody.

    Returns
    -------
    dict
        ``ok``, and ``instruments``: alias -> ``"off"``, ``"simulated"``, or what failed.

    Raises
    ------
    BenchFileError
        When the file cannot be used.
    """
    setup = read_setup(Path(file))
    plans = setup.plan.instruments
    real = {alias: setup.specs[alias] for alias, plan in plans.items() if plan.resource is not None}

    def connect(alias: str) -> Link:
        return open_link(plans[alias], real[alias], str(plans[alias].resource))

    states = all_off(real, connect)
    told = {alias: states.get(alias, "simulated") for alias in plans}
    return {"ok": all(state in (OFF, "simulated") for state in told.values()), "instruments": told}

"""What clients of each model are known to send: every line is understood, every question answered as it is.

The lines are in :mod:`models_commands` and :mod:`models_more_commands`.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from models_bench import Served, resistor
from models_commands import SAID, SHAPES
from models_more_commands import MORE

from labtrain.entry_points import VIRTUAL_INSTRUMENTS, names
from labtrain.wiring import Wire

LOADS = {"2400": ("one",), "2450": ("one",), "2602B": ("one.a", "one.b")}


def lines(model: str, said: dict[str, str] = SAID) -> list[tuple[str, str]]:
    pairs = (line.partition(" -> ") for line in said[model].split("\n") if line)
    return [
        (sent.format(**SHAPES) if "{{" in sent else sent, shape.format(**SHAPES)) for sent, _, shape in pairs
    ]


def served(model: str) -> Served:
    nodes = LOADS.get(model, ())
    loads = [resistor(node.replace(".", "_"), f"{node}.hi") for node in nodes]
    return Served(model, *loads, wires=tuple(Wire(f"{node}.lo", "ground") for node in nodes))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        *(pytest.param(model, SAID, id=model) for model in names(VIRTUAL_INSTRUMENTS)),
        *(pytest.param(model, MORE, id=f"{model}-more") for model in MORE),
    ],
)
def test_every_known_line_is_understood(model: str, said: dict[str, str]) -> None:
    with served(model) as one:
        for sent, shape in lines(model, said):
            reply = one.ask(sent)
            assert re.fullmatch(shape, reply or "") if shape else reply is None, (sent, reply)
            if model != "serial-matrix":
                assert one.virtual.errors.codes() == [], sent


def lower(text: str) -> str:
    """Small letters, but for what stands between quotes."""
    return re.sub(r"('[^']*'|\"[^\"]*\")|([^'\"]+)", lambda m: m[1] or m[2].lower(), text)


def colon(text: str) -> str:
    """A leading colon where there is none, and none where there is one."""
    return text if text.startswith("*") else text[1:] if text.startswith(":") else f":{text}"


@pytest.mark.parametrize("spell", [lower, colon])
@pytest.mark.parametrize("model", ["2400", "2450", "33522B", "81160A", "2700"])
def test_scpi_is_understood_in_other_spellings(model: str, spell: Callable[[str], str]) -> None:
    with served(model) as one:
        for sent, shape in lines(model):
            reply = one.ask(spell(sent))
            assert (reply is None) == (not shape), (spell(sent), reply)
            assert one.virtual.errors.codes() == [], spell(sent)

"""Each property and method of PyMeasure's own classes, unmodified, over TCP: set, got back, no error left."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from models_bench import Served, resistor
from models_pymeasure import FACES, Face, public

from labtrain.wiring import Wire

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # old names still serve


class Opened:
    """A face connected to its served instrument."""

    def __init__(self, face: Face) -> None:
        name = {"2400": "one.hi", "2450": "one.hi", "2602B": "one.b.hi"}.get(face.model)
        loads = [resistor("load", name)] if name else []
        nodes = {"2400": ("one.lo",), "2450": ("one.lo",), "2602B": ("one.a.lo", "one.b.lo")}
        wires = tuple(Wire(node, "ground") for node in nodes.get(face.model, ()))
        self.face = face
        self.served = Served(face.model, *loads, mount="tcp", wires=wires)
        self.instrument, self.part = face.open(self.served.resource)
        self.fresh()

    def fresh(self) -> None:
        """Power-on settings, an empty queue, what the face wants first."""
        self.settle()
        self.served.say("*RST", "*CLS", *self.face.prepare)
        assert self.codes() == []

    def settle(self) -> None:
        """Wait until what was sent is carried out."""
        self.instrument.adapter.write("print(1)" if self.face.model == "2602B" else "*OPC?")
        self.instrument.adapter.read()

    def codes(self) -> list[int]:
        found = self.served.virtual.errors.codes()
        self.served.virtual.errors.clear()
        return found

    def close(self) -> None:
        self.instrument.adapter.close()
        self.served.opened.close()


@pytest.fixture(scope="module")
def opened() -> Iterator[dict[str, Opened]]:
    logging.getLogger("pymeasure").setLevel(logging.CRITICAL)  # words on empty slots
    faces = {str(face): Opened(face) for face in FACES}
    yield faces
    for one in faces.values():
        one.close()


def same(value: Any) -> Any:
    return value if isinstance(value, (str, bool, list)) else pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("face", FACES, ids=str)
def test_the_table_is_complete(opened: dict[str, Opened], face: Face) -> None:
    told = [face.settable, face.readable, face.calls, face.left_out]
    names = [name for some in told for name in some]
    assert len(names) == len(set(names))
    assert sorted(public(opened[str(face)].part)) == sorted(names)


@pytest.mark.parametrize(
    ("face", "name"), [(face, name) for face in FACES for name in face.settable], ids=str
)
def test_a_property_is_set_and_read_back(opened: dict[str, Opened], face: Face, name: str) -> None:
    one = opened[str(face)]
    one.fresh()
    for value in face.settable[name]:
        setattr(one.part, name, value)
        assert getattr(one.part, name) == same(value)
    one.settle()
    assert one.codes() == []


@pytest.mark.parametrize("face", [face for face in FACES if face.readable], ids=str)
def test_what_is_only_read_is_a_number(opened: dict[str, Opened], face: Face) -> None:
    one = opened[str(face)]
    for name in face.readable:
        one.fresh()
        if face.ready:
            one.served.say(*face.ready)
        value = getattr(one.part, name)
        one.settle()
        assert one.codes() == [], name
        if name != "error":
            assert np.all(np.isfinite(np.asarray(value, dtype=float))), (name, value)


@pytest.mark.parametrize(("face", "name"), [(face, name) for face in FACES for name in face.calls], ids=str)
def test_a_method_is_understood(opened: dict[str, Opened], face: Face, name: str) -> None:
    one = opened[str(face)]
    one.fresh()
    if name in face.needing:
        one.served.say(*face.ready)
    getattr(one.part, name)(*face.calls[name])
    one.settle()
    assert one.codes() == []

"""The switch matrix role over the virtual serial matrix, in process and on a pty."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instruments_rigs import MatrixRig

from labtrain.errors import InstrumentReported, InstrumentStateChanged, LimitExceeded, UsageError
from labtrain.roles import OpenGate, RouteGate, SwitchMatrix
from labtrain.wiring import Crosspoint


class Wary(RouteGate):
    """Notes what it is asked; refuses row 7."""

    def __init__(self) -> None:
        self.asked: list[frozenset[Crosspoint]] = []

    def before_close(self, matrix: str, closed_after: frozenset[Crosspoint]) -> None:
        assert matrix == "matrix"
        self.asked.append(closed_after)
        if any(crosspoint.row == 7 for crosspoint in closed_after):
            raise LimitExceeded("row 7 is hot; nothing was sent")


def at(row: int, column: int) -> Crosspoint:
    return Crosspoint("matrix", row, column)


@pytest.fixture(params=["in-process", "serial"])
def rig(request: pytest.FixtureRequest) -> Iterator[MatrixRig]:
    rig = MatrixRig(Wary(), request.param)
    yield rig
    rig.close()


def coils(rig: MatrixRig) -> set[tuple[int, int]]:
    return set(rig.virtual.coils)


def test_close_and_open(rig: MatrixRig) -> None:
    rig.matrix.close((1, 4))
    rig.matrix.close(at(2, 5))
    assert rig.matrix.closed == {at(1, 4), at(2, 5)} and coils(rig) == {(1, 4), (2, 5)}
    rig.matrix.open((1, 4))
    assert coils(rig) == {(2, 5)}
    rig.matrix.open_all()
    assert rig.matrix.closed == frozenset() and coils(rig) == set()


def test_the_gate_is_asked_before_a_byte_is_sent(rig: MatrixRig) -> None:
    rig.matrix.close((1, 4))
    rig.heard.clear()
    for attempt in (lambda: rig.matrix.close((7, 0)), lambda: rig.matrix.connect_only((0, 0), (7, 1))):
        with pytest.raises(LimitExceeded):
            attempt()
    assert rig.heard == [] and coils(rig) == {(1, 4)}


def test_connect_only_breaks_before_it_makes(rig: MatrixRig) -> None:
    rig.matrix.connect_only((0, 0), (1, 1))
    rig.heard.clear()
    before = rig.clock.now_ns()
    rig.matrix.connect_only((2, 2), (1, 1))
    assert rig.heard == [b"OPEN 0,0\n", b"CLOSE 2,2\n"]
    assert rig.clock.now_ns() - before >= 2 * 2e6  # both settle times, on the bench's clock
    assert coils(rig) == {(2, 2), (1, 1)}


def test_relays_close_in_the_order_given(rig: MatrixRig) -> None:
    rig.matrix.connect_only((5, 1), (0, 1), (3, 1))
    assert [m for m in rig.heard if m.startswith(b"CLOSE")] == [
        b"CLOSE 5,1\n",
        b"CLOSE 0,1\n",
        b"CLOSE 3,1\n",
    ]


def test_an_impossible_crosspoint_says_what_is_possible(rig: MatrixRig) -> None:
    for place in ((8, 0), (0, 32), (-1, 0), Crosspoint("elsewhere", 0, 0)):
        with pytest.raises(UsageError, match="no crosspoint") as caught:
            rig.matrix.close(place)
        assert "0 to 7" in str(caught.value)
    assert rig.sent() == []


def test_a_watchdog_that_opened_everything_is_noticed(rig: MatrixRig) -> None:
    rig.matrix.connect_only((0, 0))
    rig.clock.sleep(120.0)
    with pytest.raises(InstrumentStateChanged, match="nothing is closed"):
        rig.matrix.connect_only((0, 0))
    rig.matrix.connect_only((0, 0))
    rig.clock.sleep(40.0)
    rig.matrix.keep_alive()
    rig.clock.sleep(40.0)
    rig.matrix.connect_only((0, 0))
    assert coils(rig) == {(0, 0)}


def test_forbidden_relays_never_close() -> None:
    rig = MatrixRig(OpenGate())
    matrix = SwitchMatrix(
        rig.driver, rig.link_port, OpenGate(), rig.bus.clock, "matrix", 0.0, forbidden=[(0, 3)]
    )
    with pytest.raises(LimitExceeded, match="may never close"):
        matrix.close((0, 3))
    assert rig.heard == [b"STATE?\n"]
    rig.close()


def test_a_refusing_firmware_is_heard() -> None:
    rig = MatrixRig(OpenGate())
    plain = rig.link_port._link._handle
    rig.link_port._link._handle = lambda m: b"ERR 9 relay driver\n" if m.startswith(b"CLOSE") else plain(m)
    with pytest.raises(InstrumentReported, match="ERR 9") as caught:
        rig.matrix.close((0, 0))
    assert caught.value.exit_code == 3 and caught.value.instrument == "matrix"
    rig.close()


def test_a_relay_that_stays_is_heard_of_when_all_are_opened() -> None:
    rig = MatrixRig(OpenGate())
    plain = rig.link_port._link._handle
    rig.link_port._link._handle = lambda m: b"0,0\n" if m == b"STATE?\n" else plain(m)
    with pytest.raises(InstrumentStateChanged, match="0,0 is closed"):
        rig.matrix.open_all()
    rig.close()


_places = st.tuples(st.integers(0, 7), st.integers(0, 31))
_moves = st.one_of(
    st.tuples(st.just("close"), st.lists(_places, min_size=1, max_size=1)),
    st.tuples(st.just("open"), st.lists(_places, min_size=1, max_size=1)),
    st.tuples(st.just("connect_only"), st.lists(_places, max_size=4)),
    st.tuples(st.just("open_all"), st.just([])),
)


@settings(max_examples=40)
@given(st.lists(_moves, max_size=8))
def test_what_is_believed_is_what_is_closed_and_was_asked_for(moves: list[tuple]) -> None:
    gate = Wary()
    rig = MatrixRig(gate)
    for verb, places in moves:
        try:
            getattr(rig.matrix, verb)(*places)
        except LimitExceeded:
            continue
    closed = {(c.row, c.column) for c in rig.matrix.closed}
    assert closed == coils(rig)
    assert not any(row == 7 for row, _ in closed)
    assert not closed or any(asked >= rig.matrix.closed for asked in gate.asked)
    rig.matrix.open_all()
    assert coils(rig) == set()
    rig.close()

"""The contract of the switch matrix role, over every model; judged on the relays themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from instruments_calls import mounted
from instruments_rigs import MatrixRig
from instruments_stages import Stage

from labtrain.errors import InstrumentReported, InstrumentStateChanged, LimitExceeded, UsageError
from labtrain.roles import OpenGate, RouteGate, SwitchMatrix
from labtrain.wiring import Crosspoint

MODELS = ("serial-matrix", "2700", "707B")
MOUNTS = [(model, mount) for model in MODELS for mount in ("in-process", "replayed")]
MOUNTS += [("serial-matrix", "serial")] + [(model, "tcp") for model in MODELS if model != "serial-matrix"]
HOT = 5


class Wary(RouteGate):
    """Notes what it is asked; refuses every relay of the sixth row."""

    def __init__(self) -> None:
        self.asked: list[frozenset[Crosspoint]] = []
        self.first_row = 0

    def before_close(self, matrix: str, closed_after: frozenset[Crosspoint]) -> None:
        assert matrix == "matrix"
        self.asked.append(closed_after)
        if any(crosspoint.row == self.first_row + HOT for crosspoint in closed_after):
            raise LimitExceeded("the sixth row is hot; nothing was sent")


def wary_rig(model: str, stage: Stage | None = None) -> MatrixRig:
    gate = Wary()
    rig = MatrixRig(gate, model, stage)
    gate.first_row = rig.matrix.rows[0]
    rig.gate = gate
    return rig


@pytest.fixture(params=MOUNTS, ids=lambda case: "-".join(case))
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MatrixRig]:
    model, mount = request.param
    with mounted(lambda stage: wary_rig(model, stage), mount, tmp_path) as rig:
        yield rig


def coils(rig: MatrixRig) -> set[tuple[int, int]]:
    return set(rig.virtual.coils)


def test_close_and_open(rig: MatrixRig) -> None:
    first, second = rig.place(1, 4), rig.place(2, 5)
    rig.matrix.close(first)
    rig.matrix.close(Crosspoint("matrix", *second))
    assert coils(rig) == {first, second}
    assert rig.matrix.closed == {Crosspoint("matrix", *first), Crosspoint("matrix", *second)}
    rig.matrix.open(first)
    assert coils(rig) == {second}
    rig.matrix.open_all()
    assert rig.matrix.closed == frozenset() and coils(rig) == set()
    assert rig.matrix.identity


def test_every_relay_is_the_one_that_was_named(rig: MatrixRig) -> None:
    """Corners and neighbours: a slip in the numbering of channels would move another relay."""
    rows, columns = rig.matrix.rows, rig.matrix.columns
    corners = [(r, c) for r in (rows[0], rows[1], rows[-2]) for c in (columns[0], columns[7], columns[-1])]
    for place in corners:
        rig.matrix.connect_only(place)
        assert coils(rig) == {place}
        rig.matrix.check()


def test_the_gate_is_asked_before_a_byte_is_sent(rig: MatrixRig) -> None:
    rig.matrix.close(rig.place(1, 4))
    rig.heard.clear()
    hot = rig.place(HOT, 0)
    for attempt in (lambda: rig.matrix.close(hot), lambda: rig.matrix.connect_only(rig.place(0, 0), hot)):
        with pytest.raises(LimitExceeded):
            attempt()
    assert rig.heard == [] and coils(rig) == {rig.place(1, 4)}


def test_connect_only_breaks_before_it_makes(rig: MatrixRig) -> None:
    first, kept, last = rig.place(0, 0), rig.place(1, 1), rig.place(2, 2)
    rig.matrix.connect_only(first, kept)
    rig.moves[:] = [rig.moves[-1]]
    before = rig.clock.now_ns()
    rig.matrix.connect_only(last, kept)
    assert rig.moves == [{first, kept}, {kept}, {kept, last}]
    assert rig.clock.now_ns() - before >= 2 * 2e6  # both settle times, on the bench's clock


def test_relays_close_in_the_order_given(rig: MatrixRig) -> None:
    places = [rig.place(4, 1), rig.place(0, 1), rig.place(3, 1)]
    rig.matrix.connect_only(*places)
    assert rig.moves == [set(places[:count]) for count in range(4)]


def test_an_impossible_crosspoint_says_what_is_possible(rig: MatrixRig) -> None:
    rows, columns = rig.matrix.rows, rig.matrix.columns
    wrong = [(rows.stop, columns[0]), (rows[0], columns.stop), (rows[0] - 1, columns[0])]
    for place in (*wrong, Crosspoint("elsewhere", rows[0], columns[0])):
        with pytest.raises(UsageError, match="no crosspoint") as caught:
            rig.matrix.close(place)
        assert f"{rows[0]} to {rows[-1]}" in str(caught.value)
    assert rig.moves == [frozenset()]


def test_relays_that_somebody_else_opened_are_noticed(rig: MatrixRig) -> None:
    """A reset behind the role's back: what is believed closed is asked for before it is relied on."""
    rig.matrix.connect_only(rig.place(0, 0))
    rig.virtual.handle({"serial-matrix": b"OPENALL\n"}.get(rig.plan.instruments["matrix"].model, b"*RST\n"))
    with pytest.raises(InstrumentStateChanged, match="nothing is closed"):
        rig.matrix.connect_only(rig.place(0, 0))
    rig.matrix.connect_only(rig.place(0, 0))
    assert coils(rig) == {rig.place(0, 0)}


@pytest.mark.parametrize("model", MODELS)
def test_forbidden_relays_never_close(model: str) -> None:
    rig = MatrixRig(OpenGate(), model)
    place = rig.place(0, 3)
    matrix = SwitchMatrix(
        rig.driver, rig.link_port, OpenGate(), rig.bus.clock, "matrix", 0.0, forbidden=[place]
    )
    with pytest.raises(LimitExceeded, match="may never close"):
        matrix.close(place)
    assert rig.moves == [frozenset()]
    rig.close()


@pytest.mark.parametrize("model", MODELS)
def test_a_relay_that_stays_is_heard_of_when_all_are_opened(model: str) -> None:
    rig = MatrixRig(OpenGate(), model)
    rig.matrix.close(rig.place(0, 0))
    plain = rig.link_port._link._handle
    rig.link_port._link._handle = lambda m: plain(m) if b"?" in m or b"print" in m else None
    if model == "serial-matrix":
        rig.link_port._link._handle = lambda m: plain(m) if b"?" in m else b"OK\n"
    with pytest.raises(InstrumentStateChanged, match="is closed"):
        rig.matrix.open_all()
    rig.close()


_places = st.tuples(st.integers(0, 5), st.integers(0, 7))
_moves = st.one_of(
    st.tuples(st.just("close"), st.lists(_places, min_size=1, max_size=1)),
    st.tuples(st.just("open"), st.lists(_places, min_size=1, max_size=1)),
    st.tuples(st.just("connect_only"), st.lists(_places, max_size=4)),
    st.tuples(st.just("open_all"), st.just([])),
)


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=40)
@given(moves=st.lists(_moves, max_size=8))
def test_what_is_believed_is_what_is_closed_and_was_asked_for(model: str, moves: list[tuple]) -> None:
    rig = wary_rig(model)
    for verb, places in moves:
        try:
            getattr(rig.matrix, verb)(*(rig.place(*place) for place in places))
        except LimitExceeded:
            continue
    closed = {(c.row, c.column) for c in rig.matrix.closed}
    assert closed == coils(rig)
    assert not any(row == rig.matrix.rows[HOT] for row, _ in closed)
    assert not closed or any(asked >= rig.matrix.closed for asked in rig.gate.asked)
    rig.matrix.open_all()
    assert coils(rig) == set()
    rig.close()


# --- the serial matrix alone ---------------------------------------------------------------


@pytest.fixture(params=["in-process", "serial", "replayed"])
def serial_rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MatrixRig]:
    with mounted(lambda stage: wary_rig("serial-matrix", stage), request.param, tmp_path) as rig:
        yield rig


def test_a_watchdog_that_opened_everything_is_noticed(serial_rig: MatrixRig) -> None:
    rig = serial_rig
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


def test_a_refusing_firmware_is_heard() -> None:
    rig = MatrixRig(OpenGate())
    plain = rig.link_port._link._handle
    rig.link_port._link._handle = lambda m: b"ERR 9 relay driver\n" if m.startswith(b"CLOSE") else plain(m)
    with pytest.raises(InstrumentReported, match="ERR 9") as caught:
        rig.matrix.close((0, 0))
    assert caught.value.exit_code == 3 and caught.value.instrument == "matrix"
    rig.close()

"""The safe state is reached past every failure, and nothing but the first error is told."""

from __future__ import annotations

import signal
import threading

import pytest

from labtrain.bench import Bench
from labtrain.errors import InstrumentError, RecordError, Terminated
from labtrain.session.sink import NullSink
from labtrain.wiring import Crosspoint


def hidden(bench: Bench):
    return bench._connection.connector.world.world


def is_safe(world) -> bool:
    assert world.stress  # time has caught up: relays that were told to open have opened
    return not world.outputs_on and not world.closed_relays


def drive(bench: Bench) -> None:
    """Leave the meter on through a closed relay, and the generator armed, behind the back of all routes."""
    assert bench.out_of_contact("reference") == bench.out_of_contact("sot") == []
    meter = bench.source_meter("smu")
    bench.switch_matrix("matrix").close((1, 21))
    meter.configure("current", 10e-6, 0.5, 0.5, 1.0)
    meter.output_enabled = True
    meter.source_current = 10e-6
    bench.pulse_generator("pulser.1").arm(0.2, 20e-9)
    assert hidden(bench).outputs_on


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyboardInterrupt, SystemExit, Terminated])
def test_every_exception_ends_in_the_safe_state(small: str, error: type[BaseException]) -> None:
    with pytest.raises(error), Bench.open(small.encode()) as bench:
        world = hidden(bench)
        drive(bench)
        raise error
    assert is_safe(world)


def test_sigterm_is_an_exception_in_the_main_thread_and_its_handler_is_given_back(small: str) -> None:
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(Terminated), Bench.open(small.encode()) as bench:
        world = hidden(bench)
        drive(bench)
        signal.raise_signal(signal.SIGTERM)
    assert is_safe(world) and signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_while_the_bench_is_made_safe_waits_until_it_is(small: str) -> None:
    class Impatient(NullSink):
        armed = False

        def command(self, port: str, payload: bytes, t_ns: int) -> int:
            if self.armed and payload.startswith((b":ABOR", b"OPENALL")):
                signal.raise_signal(signal.SIGINT)
            return super().command(port, payload, t_ns)

    sink = Impatient()
    with pytest.raises(KeyboardInterrupt), Bench.open(small.encode(), sink=sink) as bench:
        world = hidden(bench)
        drive(bench)
        sink.armed = True
    assert is_safe(world)


def test_a_bench_that_cannot_be_recorded_gives_back_what_it_took(small: str) -> None:
    class Unwritable(NullSink):
        def document(self, name: str, content) -> None:
            raise RecordError("the disk is full")

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    with pytest.raises(RecordError):
        Bench.open(small.encode(), sink=Unwritable())
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


class Interrupting(NullSink):
    """Presses Ctrl-C at the k-th message."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.left = at

    def command(self, port: str, payload: bytes, t_ns: int) -> int:
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return super().command(port, payload, t_ns)


def test_ctrl_c_at_any_message_of_a_contact_check(small: str) -> None:
    at, ended = 0, False
    while not ended:
        at += 1
        sink = Interrupting(10**9)
        try:
            with Bench.open(small.encode(), sink=sink) as bench:
                world = hidden(bench)
                sink.left = at
                assert bench.contact_check("reference", "top").ok
                ended = sink.left > 0
                sink.left = 10**9
        except KeyboardInterrupt:
            pass
        assert is_safe(world)
        assert world.stress["reference.top"].max_volts <= 0.0202
    assert at > 20


def test_a_full_disk_keeps_no_output_on(small: str) -> None:
    class Full(NullSink):
        full = False

        def command(self, port: str, payload: bytes, t_ns: int) -> int:
            if self.full:
                raise RecordError("the disk is full")
            return super().command(port, payload, t_ns)

    sink = Full()
    with pytest.raises(RecordError), Bench.open(small.encode(), sink=sink) as bench:
        world = hidden(bench)
        drive(bench)
        sink.full = True
        bench.source_meter("smu").source_current = 5e-6
    assert is_safe(world)


def test_an_instrument_that_fails_keeps_no_other_on_and_is_named(small: str) -> None:
    with pytest.raises(InstrumentError, match="safe state: smu failed"), Bench.open(small.encode()) as bench:
        world = hidden(bench)
        drive(bench)
        bench._connection._links["smu"].close()  # the cable is pulled
    assert world.stress
    assert not any(port.on for port in world._circuits.generators) and not world.closed_relays


def test_the_first_error_is_told_with_what_could_not_be_switched_off(small: str) -> None:
    with pytest.raises(ZeroDivisionError) as caught, Bench.open(small.encode()) as bench:
        drive(bench)
        bench._connection._links["smu"].close()
        raise ZeroDivisionError
    assert any("not brought to the safe state: smu" in note for note in caught.value.__notes__)


def test_after_the_safe_state_the_bench_can_be_used_again(small: str) -> None:
    with Bench.open(small.encode()) as bench:
        drive(bench)
        assert set(bench.safe_state().values()) == {"off"}
        with bench.route("reference", "top") as meter:
            meter.configure("voltage", 0.1, 20e-6, 20e-6, 1.0)
            meter.source_voltage = 0.1
            meter.output_enabled = True
            assert meter.measure().amperes == pytest.approx(10e-6, rel=0.02)
        assert bench.switch_matrix("matrix").closed == frozenset()


def test_closing_twice_is_harmless_and_a_closed_bench_says_so(small: str) -> None:
    from labtrain.errors import UsageError

    bench = Bench.open(small.encode())
    bench.close()
    bench.close()
    with pytest.raises(UsageError, match="closed"), bench.route("reference", "top"):
        pass


def test_relays_left_closed_by_somebody_else_count(small: str) -> None:
    with Bench.open(small.encode()) as bench:
        bench._connection.ports["matrix"].raw([b"CLOSE 1,20\n"])
        bench.source_meter("smu")
        assert Crosspoint("matrix", 1, 20) in bench.switch_matrix("matrix").closed
        assert bench._board.closed == {Crosspoint("matrix", 1, 20)}


def test_a_bench_opened_in_a_thread_installs_no_signal_handler(small: str) -> None:
    before, safe = signal.getsignal(signal.SIGTERM), []

    def work() -> None:
        with Bench.open(small.encode()) as bench:
            drive(bench)
            world = hidden(bench)
        safe.append(is_safe(world))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert safe == [True] and signal.getsignal(signal.SIGTERM) is before

"""The bus: one order, one lock, nothing sent unnoted, no answer to the wrong question."""

from __future__ import annotations

import struct
import threading
from collections.abc import Iterator

import pytest
from instruments_bus_rig import MOUNTS, Rig, ToyDriver, ask
from instruments_servers import TOY, Toy

from labtrain.errors import ConnectionLost, InstrumentError, InstrumentTimeout, UsageError
from labtrain.links import InProcessLink, Link


@pytest.fixture(params=MOUNTS)
def mount(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def rig(mount: str) -> Iterator[Rig]:
    rig = Rig(mount)
    yield rig
    rig.close()


def test_a_driver_speaks_inside_a_role_call(rig: Rig) -> None:
    driver = ToyDriver(rig.ports["a"].adapter)
    with rig.ports["a"].role_call():
        driver.value = 3
        assert driver.value == 3


def test_going_round_the_role_is_refused_before_a_byte_is_sent(rig: Rig) -> None:
    driver = ToyDriver(rig.ports["a"].adapter)
    for attempt in (
        lambda: driver.write("SET 9"),
        lambda: driver.adapter.write("SET 9"),
        lambda: driver.adapter.write_bytes(b"SET 9\n"),
        lambda: driver.write_binary_values("SET ", [9.0]),
        lambda: driver.ask("GET?"),
        lambda: driver.read(),
    ):
        with pytest.raises(InstrumentError, match="role"):
            attempt()
    assert rig.order == [] and rig.notes.commands == {}


def test_another_thread_cannot_borrow_a_role_call(rig: Rig) -> None:
    driver, seen = ToyDriver(rig.ports["a"].adapter), []

    def outsider() -> None:
        try:
            driver.write("SET 9")
        except InstrumentError as error:
            seen.append(error)

    with rig.ports["a"].role_call():
        thread = threading.Thread(target=outsider)
        thread.start()
        thread.join()
    assert len(seen) == 1 and rig.order == []


def test_role_calls_nest(rig: Rig) -> None:
    port = rig.ports["a"]
    with port.role_call():
        with port.role_call():
            port.adapter.write("SET 1")
        port.adapter.write("SET 2")
    with pytest.raises(InstrumentError):
        port.adapter.write("SET 3")


def test_every_message_is_noted_before_it_is_sent(mount: str) -> None:
    rig = Rig(mount)
    noted_first: list[bool] = []
    link = rig.links["a"]
    send = link.send

    class Watching(Link):
        resource = link.resource

        def send(self, message: bytes) -> None:
            noted_first.append(("a", message) in rig.notes.commands.values())
            send(message)

        def receive(self) -> bytes:
            return link.receive()

        def clear(self) -> None:
            link.clear()

        def close(self) -> None:
            link.close()

    rig.ports["b"] = rig.bus.attach("b", InProcessLink("b", Toy().handle), TOY)
    port = rig.ports["a"]
    port._link = Watching()
    assert ask(port, "ECHO? x") == "x"
    assert noted_first == [True]
    assert rig.notes.replies == {1: (b"x\n", "ok")}
    rig.close()


def test_an_unanswered_write_is_waited_for_before_another_instrument_hears_a_word(mount: str) -> None:
    rig = Rig(mount, ("generator", "meter"))
    for k in range(30):
        with rig.ports["generator"].role_call():
            rig.ports["generator"].adapter.write(f"SET {k}")
        ask(rig.ports["meter"], "GET?")
    expected = []
    for k in range(30):
        expected += [b"generator SET %d\n" % k, b"generator *OPC?\n", b"meter GET?\n"]
    assert rig.order == expected  # the order at the instruments, over two independent links
    rig.close()


def test_all_mounts_send_the_same_messages() -> None:
    logs = []
    for mount in MOUNTS:
        rig = Rig(mount, ("a", "b"))
        for k in range(5):
            with rig.ports["a"].role_call():
                rig.ports["a"].adapter.write(f"SET {k}")
            with rig.ports["b"].role_call():
                rig.ports["b"].adapter.write("SET 1")
            ask(rig.ports["a"], "GET?")
        logs.append((rig.notes.commands, rig.notes.replies))
        rig.close()
    assert logs[0] == logs[1] == logs[2]


def test_a_late_reply_never_answers_a_later_question(mount: str) -> None:
    rig = Rig(mount)
    port = rig.ports["a"]
    with pytest.raises(InstrumentTimeout, match=r"\[?a") as caught:
        ask(port, "MUTE?")
    assert caught.value.instrument == "a"
    if mount == "in-process":
        rig.links["a"]._replies.append(b"late\n")
    else:
        rig.servers["a"].send(b"late\n")
    assert [ask(port, f"ECHO? {k}") for k in range(5)] == list("01234")
    statuses = [status for _, status in rig.notes.replies.values()]
    assert statuses[0] == "timeout" and statuses[-5:] == ["ok"] * 5
    rig.close()


def test_a_reply_that_comes_after_the_clearing_is_dropped_too() -> None:
    """The instrument is slow: the late reply comes between the bus's question and its answer."""
    rig = Rig("in-process")
    port, toy = rig.ports["a"], rig.toys["a"]
    with pytest.raises(InstrumentTimeout):
        ask(port, "MUTE?")
    link = rig.links["a"]
    plain = toy.handle

    def slow(message: bytes) -> bytes | None:
        link._handle = plain
        link._replies.append(b"late\n")
        return plain(message)

    link._handle = slow
    assert ask(port, "ECHO? now") == "now"
    rig.close()


def test_an_interrupt_between_question_and_answer_does_not_shift_answers(mount: str) -> None:
    rig = Rig(mount)
    port, link = rig.ports["a"], rig.links["a"]
    receive = link.receive

    class Interrupted(Link):
        resource = "a"
        send, clear, close = link.send, link.clear, link.close

        def receive(self) -> bytes:
            port._link = link
            raise KeyboardInterrupt

    port._link = Interrupted()
    with pytest.raises(KeyboardInterrupt):
        ask(port, "ECHO? first")
    assert port.incidents == 1
    assert ask(port, "ECHO? second") == "second"
    assert receive is not None
    rig.close()


@pytest.mark.parametrize("remote", ["tcp", "serial"])
def test_a_lost_connection_is_noted_as_lost(remote: str) -> None:
    rig = Rig(remote)
    ask(rig.ports["a"], "GET?")
    rig.servers["a"].hang_up()
    with pytest.raises(ConnectionLost) as caught:
        ask(rig.ports["a"], "GET?")
    assert caught.value.instrument == "a" and caught.value.exit_code == 3
    assert [s for _, s in rig.notes.replies.values()][-1] == "lost"
    rig.close()


def _hammer(mount: str, threads: int, transactions: int) -> list[tuple[str, str]]:
    rig = Rig(mount, timeout=10.0)
    port, wrong = rig.ports["a"], []
    driver = ToyDriver(port.adapter)

    def work(thread: int) -> None:
        for k in range(transactions):
            question = f"{thread}-{k}"
            answer = ask(port, f"ECHO? {question}")
            if answer != question:
                wrong.append((question, answer))
            with port.role_call():
                driver.value = thread * 1000 + k
                if driver.value != thread * 1000 + k:
                    wrong.append((question, "value"))

    crowd = [threading.Thread(target=work, args=(n,)) for n in range(threads)]
    for thread in crowd:
        thread.start()
    for thread in crowd:
        thread.join()
    rig.close()
    return wrong


def test_eight_threads_get_no_wrong_answer(mount: str) -> None:
    assert _hammer(mount, 8, 500) == []


@pytest.mark.slow
def test_eight_threads_get_no_wrong_answer_in_80_000(mount: str) -> None:
    assert _hammer(mount, 8, 10_000) == []


def test_the_clock_is_recorded_as_a_port(rig: Rig) -> None:
    rig.bus.clock.sleep(1.5)
    assert rig.bus.clock.now_ns() == 1_500_000_000
    assert list(rig.notes.commands.values()) == [("clock", b"now")]
    assert list(rig.notes.replies.values()) == [(struct.pack("<q", 1_500_000_000), "ok")]


def test_raw_lines_go_out_without_a_role_even_after_a_failure(rig: Rig) -> None:
    with pytest.raises(InstrumentTimeout):
        ask(rig.ports["a"], "MUTE?")
    assert rig.ports["a"].raw([b"SET 5\n", b"GET?\n"]) == [b"5\n"]
    assert rig.toys["a"].value == 5


def test_one_failing_raw_line_does_not_keep_back_the_others(rig: Rig) -> None:
    with pytest.raises(InstrumentTimeout):
        rig.ports["a"].raw([b"MUTE?\n", b"SET 4\n"])
    assert ask(rig.ports["a"], "GET?") == "4"


def test_blocks_reach_pymeasure_whole(rig: Rig) -> None:
    driver = ToyDriver(rig.ports["a"].adapter)
    with rig.ports["a"].role_call():
        driver.write("BLOCK?")
        assert driver.read_bytes(3) == b"#16"
        assert driver.read_bytes(-1) == b"a\nb#\n!\n"


def test_an_alias_is_taken_once(rig: Rig) -> None:
    for alias in ("a", "clock"):
        with pytest.raises(UsageError, match=alias):
            rig.bus.attach(alias, rig.links["a"], TOY)


def test_a_message_that_could_not_be_sent_is_noted_as_such(rig: Rig) -> None:
    rig.links["a"].close()
    with pytest.raises(ConnectionLost):
        ask(rig.ports["a"], "GET?")
    assert list(rig.notes.replies.values()) == [(b"send", "lost")]


def test_time_does_not_pass_before_the_last_write_is_carried_out(rig: Rig) -> None:
    with rig.ports["a"].role_call():
        rig.ports["a"].adapter.write("SET 3")
    rig.bus.clock.sleep(1.0)
    assert rig.order == [b"a SET 3\n", b"a *OPC?\n"]

"""Every link keeps one contract; traps 1, 5, 6, 8 and 9 of the instrument path are cases of it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instruments_servers import PtyServer, TcpServer, Toy

from labtrain.errors import ConnectionLost, InstrumentError, InstrumentTimeout
from labtrain.links import InProcessLink, Link, SerialLink, VisaLink
from labtrain.links.framing import Framer
from labtrain.links.serial import port_of

KINDS = ("in-process", "tcp", "pty", "serial-over-tcp")


class Bench:
    def __init__(self, kind: str, timeout: float = 0.3) -> None:
        self.toy = Toy()
        self._exit = ExitStack()
        self.server: TcpServer | PtyServer | None = None
        self.link = self._open(kind, timeout)
        self._exit.callback(self.link.close)

    def _open(self, kind: str, timeout: float) -> Link:
        if kind == "in-process":
            return InProcessLink("toy in process", self.toy.handle)
        self.server = PtyServer(self.toy.handle) if kind == "pty" else TcpServer(self.toy.handle)
        self._exit.callback(self.server.close)
        if kind == "tcp":
            return VisaLink(self.server.resource, b"\n", timeout)
        if kind == "pty":
            return SerialLink(self.server.resource, b"\n", timeout)
        _, host, port, _ = self.server.resource.split("::")
        return SerialLink(f"socket://{host}:{port}", b"\n", timeout)

    def close(self) -> None:
        self._exit.close()


@pytest.fixture(params=KINDS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(request.param)
    yield bench
    bench.close()


@pytest.fixture(params=KINDS[1:])
def remote(request: pytest.FixtureRequest) -> Iterator[Bench]:
    bench = Bench(request.param)
    yield bench
    bench.close()


def test_a_question_is_answered_with_its_terminator(bench: Bench) -> None:
    bench.link.send(b"SET 7\n")
    bench.link.send(b"GET?\n")
    assert bench.link.receive() == b"7\n"


def test_replies_keep_their_order_and_their_bounds(bench: Bench) -> None:
    for k in range(20):
        bench.link.send(b"ECHO? %d\n" % k)
    assert [bench.link.receive() for _ in range(20)] == [b"%d\n" % k for k in range(20)]


def test_a_block_with_terminators_inside_is_read_whole(bench: Bench) -> None:
    bench.link.send(b"BLOCK?\n")
    bench.link.send(b"GET?\n")
    assert bench.link.receive() == b"#16a\nb#\n!\n"
    assert bench.link.receive() == b"0\n"


def test_a_long_reply_arrives_whole(bench: Bench) -> None:
    long = isinstance(bench.link, (InProcessLink, VisaLink))  # pyserial's socket:// reads a byte at a time
    text = b"0123456789" * (20_000 if long else 100)
    bench.link.send(b"ECHO? " + text + b"\n")
    assert bench.link.receive() == text + b"\n"


def test_silence_is_a_timeout_that_names_the_resource(bench: Bench) -> None:
    bench.link.send(b"MUTE?\n")
    with pytest.raises(InstrumentTimeout) as caught:
        bench.link.receive()
    assert bench.link.resource in str(caught.value)


def test_clear_drops_what_waits(bench: Bench) -> None:
    bench.link.send(b"ECHO? old\n")
    bench.link.receive()
    bench.link.send(b"ECHO? late\n")
    bench.link.send(b"ECHO? later\n")
    assert bench.link.receive() == b"late\n"  # so the rest is on its way or here
    while True:
        try:
            assert bench.link.receive() == b"later\n"
        except InstrumentTimeout:
            break
    bench.link.send(b"ECHO? dropped\n")
    if bench.server is not None:
        with pytest.raises(InstrumentTimeout):
            _wait_without_reading(bench)
    bench.link.clear()
    bench.link.send(b"ECHO? new\n")
    assert bench.link.receive() == b"new\n"


def _wait_without_reading(bench: Bench) -> None:
    """Let the reply arrive: a second, silent link of the same kind takes one time-out to read nothing."""
    other = Bench("tcp", timeout=0.2)
    try:
        other.link.receive()
    finally:
        other.close()


def test_closing_twice_is_harmless_and_a_closed_link_says_so(bench: Bench) -> None:
    bench.link.close()
    bench.link.close()
    with pytest.raises(ConnectionLost):
        bench.link.send(b"GET?\n")
    with pytest.raises(ConnectionLost):
        bench.link.receive()


def test_a_peer_that_hangs_up_is_a_lost_connection_not_a_timeout(remote: Bench) -> None:
    remote.link.send(b"GET?\n")
    assert remote.link.receive() == b"0\n"
    assert remote.server is not None
    remote.server.hang_up()
    with pytest.raises(ConnectionLost):
        remote.link.receive()


def test_a_socket_that_refuses_is_named_at_opening() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(InstrumentError, match=f"::{port}::SOCKET.*cannot be opened") as caught:
        VisaLink(f"TCPIP0::127.0.0.1::{port}::SOCKET", b"\n", 1.0)
    assert caught.value.exit_code == 3 and caught.value.remedy


def test_a_port_that_is_not_there_is_named_at_opening() -> None:
    with pytest.raises(InstrumentError, match="no-such-port"):
        SerialLink("/dev/no-such-port")


def test_nagle_is_off_on_the_socket_that_carries_the_bytes() -> None:
    bench = Bench("tcp")
    inner = bench.link._session.visalib.sessions[bench.link._session.session]
    assert inner.interface.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
    bench.close()


@pytest.mark.parametrize(
    ("resource", "port"),
    [
        ("ASRL/dev/ttyUSB0::INSTR", "/dev/ttyUSB0"),
        ("asrl/dev/pts/4::instr", "/dev/pts/4"),
        ("COM4", "COM4"),
        ("socket://localhost:1", "socket://localhost:1"),
    ],
)
def test_serial_names_are_translated(resource: str, port: str) -> None:
    assert port_of(resource) == port


_lines = (
    st.binary(max_size=20)
    .filter(lambda b: b"\n" not in b and not b.startswith(b"#"))
    .map(lambda b: b + b"\n")
)
_blocks = st.binary(max_size=120).map(lambda b: b"#%d%d%s\n" % (len(str(len(b))), len(b), b))


@given(st.lists(st.one_of(_lines, _blocks), max_size=6), st.data())
def test_framing_does_not_depend_on_how_the_bytes_arrive(replies: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(replies)
    framer, taken = Framer(b"\n", "stream"), []
    while stream:
        cut = data.draw(st.integers(1, len(stream)))
        framer.feed(stream[:cut])
        stream = stream[cut:]
        while (reply := framer.take()) is not None:
            taken.append(reply)
    assert taken == replies


def test_an_indefinite_block_is_refused_on_a_stream() -> None:
    framer = Framer(b"\n", "stream")
    framer.feed(b"#0abc\n")
    with pytest.raises(InstrumentError, match="indefinite"):
        framer.take()


def test_in_process_replies_are_framed_as_on_a_socket() -> None:
    said = iter([b"1\n", b"2\n3\n", b"4", b"5\n", b"#13a\nb\n", b"6\n"])
    link = InProcessLink("toy", lambda message: next(said))
    got = []
    for _ in range(6):
        link.send(b"?\n")
        try:
            while True:
                got.append(link.receive())
        except InstrumentTimeout:
            got.append(b"silence")
    lines = [b"1\n", b"2\n", b"3\n", b"45\n", b"#13a\nb\n", b"6\n"]
    assert [one for one in got if one != b"silence"] == lines
    assert got.index(b"45\n") - got.index(b"3\n") == 3  # the cut reply alone is silence

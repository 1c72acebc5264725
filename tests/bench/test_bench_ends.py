"""However a program ends, the bench ends in its safe state; instruments live in another process."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest
from bench_served import Served, end, start

from labtrain.bench import Bench, bench_off, check_bench
from labtrain.errors import BenchHeld, InstrumentError

HERE = Path(__file__).parent
pytestmark = pytest.mark.skipif(os.name != "posix", reason="pseudo-terminals and signals of POSIX")


slow = pytest.mark.slow


@pytest.mark.parametrize(
    ("what", "code"),
    [("notebook", 0), pytest.param("raise", 1, marks=slow), pytest.param("exit", 0, marks=slow)],
)
def test_a_program_that_ends_by_itself_leaves_the_bench_safe(served: Served, what: str, code: int) -> None:
    process = start(served, what)
    assert end(process) == code
    assert served.is_safe()


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=slow)])
def test_a_program_that_is_asked_to_end_leaves_the_bench_safe(served: Served, number: int) -> None:
    process = start(served, "query")
    process.send_signal(number)
    assert end(process) != 0
    assert served.is_safe()


def test_a_second_program_is_told_who_holds_the_bench(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    process = start(served, "idle")
    with pytest.raises(BenchHeld, match=f"held by process {process.pid}") as caught:
        Bench.open(served.file)
    assert caught.value.exit_code == 3 and caught.value.instrument == "smu"
    told = check_bench(served.file)
    assert not told["ok"] and all("held by" in one["message"] for one in told["problems"])
    assert not served.is_safe(), "checking changed an output"
    assert bench_off(served.file)["ok"], "off works while the bench is held"
    assert served.is_safe()
    process.kill()
    end(process)
    assert served.becomes_safe()
    for _ in range(200):  # the guard keeps the lock until it is done
        with suppress(BenchHeld):
            Bench.open(served.file).close()
            break
        time.sleep(0.05)
    else:
        pytest.fail("the lock of a dead program was never given back")


def test_check_reads_identities_and_changes_nothing(served: Served) -> None:
    told = check_bench(served.file)
    assert told["ok"] and "2450" in told["instruments"]["smu"]["idn"]


def test_an_instrument_that_does_not_answer_is_named_with_its_address(small: str) -> None:
    gone = 'model = "2450"\nresource = "TCPIP0::127.0.0.1::9::SOCKET"\ntimeout = "0.3 s"'
    with pytest.raises(InstrumentError, match=r"smu.*127\.0\.0\.1::9") as caught:
        Bench.open(small.replace('model = "2450"', gone).encode())
    assert caught.value.exit_code == 3


def test_an_instrument_of_another_model_is_refused(served: Served, small: str) -> None:
    other = f'model = "2450"\nresource = "{served.resources["pulser"]}"'
    with pytest.raises(InstrumentError, match=r"81160A.*not a 2450"):
        Bench.open(small.replace('model = "2450"', other, 1).encode())

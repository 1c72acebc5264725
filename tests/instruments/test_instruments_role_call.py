"""Entering a role call is all or nothing, whatever interrupts it."""

from __future__ import annotations

import signal
import threading

import pytest
from instruments_bus_rig import Rig, ask

from labtrain.interrupts import UNINTERRUPTED


def free_for_another_thread(rig: Rig) -> bool:
    found: list[bool] = []

    def try_it() -> None:
        found.append(rig.bus.lock.acquire(blocking=False))
        if found[0]:
            rig.bus.lock.release()

    thread = threading.Thread(target=try_it)
    thread.start()
    thread.join()
    return found[0]


def test_an_interrupt_that_waited_leaves_the_bench_free() -> None:
    """Ctrl-C between taking the lock and the first word: the call has not begun, and others may talk."""
    rig = Rig("in-process")
    call = rig.ports["a"].role_call()
    UNINTERRUPTED.late.append(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), call:
        raise AssertionError("the call has begun")
    assert call.owner == 0 and free_for_another_thread(rig)
    assert ask(rig.ports["a"], "GET?") == "0"
    rig.close()


def test_a_call_that_goes_on_holds_the_bench() -> None:
    rig = Rig("in-process")
    with rig.ports["a"].role_call():
        assert not free_for_another_thread(rig)
    assert free_for_another_thread(rig)
    rig.close()

"""Answers that fail, come late, are cut or garbled, over every model: reported or recovered, never wrong."""

from __future__ import annotations

import random

import pytest
from models_faulty import LIMITS, PULSES, Faulty, healthy

from labtrain.entry_points import DRIVERS, names
from labtrain.errors import ConnectionLost, InstrumentError
from simulated_instruments.script import KINDS, Fault, FaultyHandle

MODELS = tuple(names(DRIVERS))
REMOTE = tuple((model, "serial" if model == "serial-matrix" else "tcp") for model in MODELS)
COUNT = 1000


def suffers(model: str, kind: str, at: int, mount: str = "in-process") -> str:
    """Inject one fault; say whether it was recovered from or reported."""
    one = Faulty(model, Fault(kind, at), mount=mount)
    outcome, lost = "recovered", False
    try:
        result = one.do()
        assert one.right(result), f"silently wrong: {result}"
        assert tuple(one.states) == healthy(model, mount)[1], "the instrument's state is not as it should be"
    except InstrumentError as error:
        assert error.instrument == "one" and error.exit_code == 3
        outcome, lost = "reported", isinstance(error, ConnectionLost)
    if lost and mount == "tcp":
        one.connect_anew()
    finish(one)
    within_limits(one)
    one.close()
    return outcome


def finish(one: Faulty) -> None:
    """After the fault everything works again: off, and the same once more."""
    try:
        one.role.shutdown()
    except InstrumentError:  # the fault met the switching off: the second time it is not there
        one.role.shutdown()
    assert one.safe
    assert one.right(one.do()) and one.safe


def within_limits(one: Faulty) -> None:
    for stress in one.world.stress.values():
        limits = PULSES if one.spec.role == "pulse-generator" else LIMITS
        assert stress.max_volts <= limits.voltage * 1.002 + 1e-3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", MODELS)
def test_a_fault_is_reported_or_recovered_from(model: str, kind: str) -> None:
    last, _ = healthy(model, "in-process")
    places = {1, 2, last // 2, last - 1, last} if last > 5 else set(range(1, last + 1))
    assert {suffers(model, kind, at) for at in sorted(places)} <= {"reported", "recovered"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("model", "mount"), REMOTE)
def test_a_fault_on_a_real_connection_is_reported_or_recovered_from(
    model: str, mount: str, kind: str
) -> None:
    replies, _ = healthy(model, mount)
    at = random.Random(f"{model} {kind}").randint(1, replies)
    outcome = suffers(model, kind, at, mount)
    if kind == "drop" and mount == "tcp":
        assert outcome == "reported"  # nothing brings a closed connection back by itself


class Noisy(FaultyHandle):
    """Puts a question mark in the middle of the replies that a fault meets: text still, but not a number."""

    def _spoil(self, kind: str, held: bytes, reply: bytes) -> bytes:
        middle = (len(reply) - 1) // 2
        return reply[:middle] + b"?" + reply[middle + 1 :]


@pytest.mark.parametrize("model", MODELS)
def test_a_reply_with_a_wrong_character_is_no_traceback(model: str) -> None:
    outcomes = []
    for at in range(1, healthy(model, "in-process")[0] + 1):
        one = Faulty(model)
        one.faulty = Noisy("one", one.virtual.handle, (Fault("garbage", at),))
        one.port._link._handle = one.faulty
        try:
            assert one.right(one.do()), f"reply {at}: silently wrong"
        except InstrumentError as error:
            assert (error.instrument or "").split(".")[0] == "one"
            outcomes.append(at)
        finish(one)
        one.close()
    assert outcomes or model == "2700"  # where it is the text of "no error" that suffers


def campaign(mounts: tuple[tuple[str, str], ...]) -> list[str]:
    """Every reply of every model in turn, five kinds of fault, until a thousand have been met."""
    chances = [
        (model, kind, at, mount)
        for model, mount in mounts
        for at in range(1, healthy(model, mount)[0] + 1)
        for kind in KINDS
    ]
    random.Random(1).shuffle(chances)
    rounds = -(-COUNT // len(chances))
    return [suffers(*chance) for chance in (chances * rounds)[: max(COUNT, len(chances))]]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mounts", [tuple((m, "in-process") for m in MODELS), REMOTE], ids=["here", "remote"])
def test_a_thousand_faults_over_all_models(mounts: tuple[tuple[str, str], ...]) -> None:
    outcomes = campaign(mounts)
    print(f"{len(outcomes)} faults: {outcomes.count('reported')} reported, the others recovered from")
    assert len(outcomes) >= COUNT
    assert outcomes.count("reported") > 0.5 * len(outcomes)  # most cannot be hidden, and are said

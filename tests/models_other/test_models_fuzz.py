"""Any line to any virtual instrument: nothing escapes, every bad one is reported, what follows works."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_bad_lines import BadFirmware, BadScpi, BadTsp
from models_bench import Served
from models_lines import LANGUAGES, Language

from labtrain.entry_points import VIRTUAL_INSTRUMENTS, names

MODELS = names(VIRTUAL_INSTRUMENTS)
SCPI = [model for model in MODELS if model not in ("2602B", "707B", "serial-matrix")]
INTERNAL = -310
"""What an exception inside leaves in the queue."""
WORKS = {
    "2400": (":SOUR:VOLT 0.15", ":SOUR:VOLT?", 0.15),
    "2450": (":SOUR:VOLT 0.15", ":SOUR:VOLT?", 0.15),
    "2602B": ("smub.source.levelv = 0.05", "print(smub.source.levelv)", 0.05),
    "33522B": ("SOUR2:VOLT:OFFS 0.2", "SOUR2:VOLT:OFFS?", 0.2),
    "81160A": (":VOLT2:OFFS 0.2", ":VOLT2:OFFS?", 0.2),
    "2700": ("ROUT:MULT:CLOS (@107)", "ROUT:MULT:CLOS:STAT? (@107)", 1),
    "707B": ("channel.close('3A07')", "print(channel.getstate('3A07'))", 1),
    "serial-matrix": ("ONLY 3,1", "STATE?", 3.1),
}
"""A good command, a question, and its answer (the serial matrix's comma read as a point)."""


class Fuzzed:
    """One instrument and how errors are read from it: by its own queue, never by its insides."""

    def __init__(self, model: str) -> None:
        self.served = Served(model)
        self.model = model
        self.language: Language = LANGUAGES[model]
        self.ask = self.served.ask
        self.kind = {"serial-matrix": "firmware", "2602B": "tsp", "707B": "tsp"}.get(model, "scpi")
        virtual = self.served.virtual
        if self.kind == "scpi":
            self.bad = BadScpi(virtual.tree).line
        else:
            tsp = self.kind == "tsp"
            self.bad = (BadTsp(virtual._names, self.language.good) if tsp else BadFirmware()).line

    def feed(self, line: bytes) -> bytes | None:
        return self.served.virtual.handle(line)

    def settle(self) -> None:
        for line in self.language.settle:
            self.ask(line)

    def errors(self) -> list[int]:
        """Empty the queue; the numbers that were in it."""
        question = {"scpi": "SYST:ERR?", "tsp": "print(errorqueue.next())", "firmware": "ERR?"}[self.kind]
        found = []
        while code := int(float((self.ask(question) or "").replace(",", " ").split()[0])):
            found.append(code)
        return found

    def judge(self, bad: str) -> None:
        """Send a bad line: it leaves an error, no exception, and the next good command works."""
        self.ask(bad)
        found = self.errors()
        assert found, f"silently accepted: {bad!r}"
        assert INTERNAL not in found, bad
        self.works(bad)

    def works(self, after: str) -> None:
        good, question, answer = WORKS[self.model]
        self.ask(good)
        reply = (self.ask(question) or "nothing").replace(",", ".")
        assert float(reply) == pytest.approx(answer), f"{reply} after {after!r}"
        assert self.errors() == [], after


def fuzz(one: Fuzzed, chance: random.Random, count: int) -> None:
    """Count lines, one half certainly bad and each judged, the other any, in runs of ten."""
    for _ in range(count // 20):
        one.settle()
        for _ in range(10):
            one.judge(one.bad(chance))
        for _ in range(10):
            line = one.language.some_line(chance)
            one.feed(line)
            if one.kind != "tsp":  # a script may be half said: a question is part of it then
                assert INTERNAL not in one.errors(), line
        one.settle()


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=5)
@given(seed=st.integers(0, 2**32))
def test_no_line_escapes_and_every_bad_one_is_reported(model: str, seed: int) -> None:
    fuzz(Fuzzed(model), random.Random(seed), 400)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=125)
@given(seed=st.integers(0, 2**32))
def test_a_million_lines(model: str, seed: int) -> None:
    """125 x 1000 lines a model; eight models make a million."""
    fuzz(Fuzzed(model), random.Random(seed), 1000)


def test_every_model_is_fuzzed() -> None:
    assert set(MODELS) == set(LANGUAGES) == set(WORKS)


@pytest.mark.parametrize("model", SCPI)
def test_letters_whose_capitals_are_foreign_are_reported(model: str) -> None:
    """Found by fuzzing: a micro sign in capitals is a Greek letter, which no byte holds."""
    one = Fuzzed(model)
    one.feed(b":\xb5\xff\n")
    assert one.errors() == [-101]
    one.feed(b"*ESE 1\xb5V\n")
    assert len(one.errors()) == 1

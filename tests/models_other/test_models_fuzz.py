"""Any line to any virtual instrument: nothing escapes, what is bad is reported, what follows works."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from models_bench import Served
from models_lines import LANGUAGES, Language

from labtrain.entry_points import VIRTUAL_INSTRUMENTS, names

MODELS = names(VIRTUAL_INSTRUMENTS)
INTERNAL = -310
"""What an exception inside leaves in the queue."""


class Fuzzed:
    """One instrument and how errors are read from it: by its own queue, never by its insides."""

    def __init__(self, model: str) -> None:
        self.served = Served(model)
        self.language: Language = LANGUAGES[model]
        self.ask = self.served.ask
        self.kind = {"serial-matrix": "firmware", "2602B": "tsp", "707B": "tsp"}.get(model, "scpi")

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


def fuzz(one: Fuzzed, chance: random.Random, count: int) -> None:
    """Any lines, with a certainly bad one every tenth time, judged on its error."""
    for number in range(count):
        line = one.language.some_line(chance)
        one.feed(line)
        if number % 10 == 9:
            judge(one, chance, line)


def judge(one: Fuzzed, chance: random.Random, line: bytes) -> None:
    waiting = one.errors() if one.kind != "tsp" else []  # a script may be half said: then print is part of it
    assert INTERNAL not in waiting, line
    one.settle()
    assert INTERNAL not in one.errors(), line
    bad = one.language.some_bad(chance)
    one.ask(bad)
    found = one.errors()
    assert found and INTERNAL not in found, bad
    one.settle()
    assert one.ask("*IDN?"), bad
    assert one.errors() == [], bad


@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=5)
@given(seed=st.integers(0, 2**32))
def test_no_line_escapes_and_every_bad_one_is_reported(model: str, seed: int) -> None:
    fuzz(Fuzzed(model), random.Random(seed), 200)


@pytest.mark.parametrize("model", MODELS)
def test_every_kind_of_bad_line_is_reported(model: str) -> None:
    one = Fuzzed(model)
    for template in one.language.bad:
        line = template.format(n=17, **one.language.fields)
        one.ask(line)
        assert one.errors(), line
        one.settle()
        assert one.ask("*IDN?") and one.errors() == []


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("model", MODELS)
@settings(max_examples=125)
@given(seed=st.integers(0, 2**32))
def test_a_million_lines(model: str, seed: int) -> None:
    """125 x 1000 lines a model; eight models make a million."""
    fuzz(Fuzzed(model), random.Random(seed), 1000)


def test_every_model_is_fuzzed() -> None:
    assert set(MODELS) == set(LANGUAGES)


@pytest.mark.parametrize("model", [m for m in MODELS if m not in ("2602B", "707B", "serial-matrix")])
def test_letters_whose_capitals_are_foreign_are_reported(model: str) -> None:
    """Found by fuzzing: a micro sign in capitals is a Greek letter, which no byte holds."""
    one = Fuzzed(model)
    one.feed(b":\xb5\xff\n")
    assert one.errors() == [-101]
    one.feed(one.language.fields["setting"].encode() + b" 1\xb5V\n")
    assert len(one.errors()) == 1

r"""Gates: what two samples of a switch make of an activation's derivative.

With :math:`s_1, s_2` independent and true with :math:`P = \sigma(\zeta)`, ``first-not-second`` has the mean
:math:`P(1-P) = \sigma'(\zeta)` and the variance :math:`q(1-q)`, :math:`q = P(1-P) \le 1/4`; ``xor`` has twice
that mean. So the derivative is never computed, and where the gate is 0 neither is anything behind it
(p-GAF-BP; the identity is derived, the paper's sampling rule is not stated).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from labtrain.errors import UsageError


@dataclass(frozen=True, slots=True)
class Gate:
    """One way to combine two samples.

    Attributes
    ----------
    mean
        E[gate] over P (1 - P).
    scale
        What the gate's 1 stands for in the gradient.
    exclusive
        Whether ``not first and second`` counts as well.
    """

    name: str
    scale: float
    exclusive: bool

    @property
    def mean(self) -> float:
        """E[scale x gate] over the derivative P (1 - P): 1 is unbiased."""
        return self.scale * (2.0 if self.exclusive else 1.0)

    def open(self, first: Any, second: Any) -> Any:
        """Return where the gate is open, of the samples' namespace."""
        return first ^ second if self.exclusive else first & ~second


FIRST_NOT_SECOND = Gate("first-not-second", 1.0, False)
XOR = Gate("xor", 1.0, True)
HALF_XOR = Gate("half-xor", 0.5, True)
GATES = {gate.name: gate for gate in (FIRST_NOT_SECOND, XOR, HALF_XOR)}


@dataclass(frozen=True, slots=True)
class Activation:
    """An activation whose derivative is a logistic switch's.

    Attributes
    ----------
    steepness
        ``zeta = steepness z`` biases the switches.
    factor
        The derivative is ``factor P (1 - P)``.
    low
        The activation's value for P = 0; 1 for P = 1.
    """

    name: str
    steepness: float
    factor: float
    low: float


SIGMOID = Activation("sigmoid", 1.0, 1.0, 0.0)
TANH = Activation("tanh", 2.0, 4.0, -1.0)
ACTIVATIONS = {activation.name: activation for activation in (SIGMOID, TANH)}


def gate_named(name: str) -> Gate:
    """Look a gate up.

    Raises
    ------
    UsageError
        For an unknown name.
    """
    if name in GATES:
        return GATES[name]
    raise UsageError(f"there is no gate {name!r}", remedy=f"choose {', '.join(GATES)}", key="gate")


def activation_named(name: str) -> Activation:
    """Look an activation up.

    Raises
    ------
    UsageError
        For one whose derivative is not that of a logistic function: ReLU, GELU and others.
    """
    if name in ACTIVATIONS:
        return ACTIVATIONS[name]
    raise UsageError(
        f"p-GAF does not cover {name}: two samples of a switch have the mean P(1-P), the derivative of the"
        " logistic function, and no other",
        remedy=f"use {' or '.join(ACTIVATIONS)}",
        key="activation",
    )

"""Neurons' pre-activations as switches sample them: z -> probability -> pulse -> switched or not."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast, final

import torch

from labtrain.arrays.batch_rows import BatchRows
from labtrain.arrays.switches import SwitchArray
from labtrain.errors import UsageError
from labtrain.training.one_chip import copied_around, diverged
from labtrain.training.pgaf.calibration import calibrate
from labtrain.training.pgaf.counting import count_of
from labtrain.training.pgaf.gates import Activation, Gate
from labtrain.training.state import as_numpy, as_tensors


@dataclass(frozen=True, slots=True)
class SwitchCurve:
    """What is believed of the devices' P_sw(V): ``P = 1/(1 + exp(-slope (V - v50)))``.

    Attributes
    ----------
    v50, slope
        In V and 1/V, as fitted (``labtrain fit`` logistic), of the data sheet, or measured on each device.
    seconds
        The pulse width that they hold for.
    each_v50, each_slope
        ``[n]`` float64, in V and 1/V: of each device; None: ``v50``, ``slope`` of all.
    """

    v50: float
    slope: float
    seconds: float
    each_v50: torch.Tensor | None = None
    each_slope: torch.Tensor | None = None

    def volts(self, zeta: torch.Tensor) -> torch.Tensor:
        """Turn ``zeta``, in place, into pulses that switch with probability sigmoid(zeta); none below 0 V."""
        centre = self.v50 if self.each_v50 is None else self.each_v50.to(zeta.device)
        slope = self.slope if self.each_slope is None else self.each_slope.to(zeta.device)
        return zeta.div_(slope).add_(centre).clamp_(min=0.0)

    def of(self, chosen: slice) -> SwitchCurve:
        """Return the curve of some of the devices."""
        own = [None if each is None else each[chosen] for each in (self.each_v50, self.each_slope)]
        return replace(self, each_v50=own[0], each_slope=own[1])

    def of_all(self) -> SwitchCurve:
        """Return the one curve that is believed of all devices."""
        return replace(self, each_v50=None, each_slope=None)

    def __post_init__(self) -> None:
        if not (self.v50 > 0 and self.slope > 0 and self.seconds > 0 and math.isfinite(self.slope)):
            raise UsageError(
                f"v50 = {self.v50} V, slope = {self.slope} /V, {self.seconds} s cannot be",
                remedy="give positive numbers, from a fit of the devices",
            )


@dataclass
class SwitchLedger:
    """Counts of one layer's switches.

    Attributes
    ----------
    attempts
        Each of one reset at least, one verify, one pulse, one read.
    flagged
        Attempts that came back flagged: clipped, or a reset that failed.
    open, gates
        Gates found open, and gates sampled.
    """

    attempts: int = 0
    flagged: int = 0
    open: int = 0
    gates: int = 0


@final
class SwitchSampler:
    """One layer's switches, biased by its pre-activations.

    Parameters
    ----------
    array
        One switch a neuron; shared (never copied) by deep copies.
    curve
        Of the devices, to bias them.
    activation, gate
        What the samples stand for.
    """

    def __init__(self, array: SwitchArray, curve: SwitchCurve, activation: Activation, gate: Gate) -> None:
        self.array, self.curve, self.activation, self.gate = array, curve, activation, gate
        self.ledger = SwitchLedger()
        largest = curve.v50 + 2.0 / curve.slope
        if array.max_volts < largest:
            raise UsageError(
                f"{array.name} may be pulsed with {array.max_volts:g} V, P = 0.88 needs {largest:g} V",
                remedy="a longer pulse width lowers V50; or allow more voltage in the bench file",
                key="limits",
            )

    def shared_rows(self, per_batch: bool) -> BatchRows | None:
        """By what the switches know a row's place; None where a whole batch is one row of them."""
        return None if per_batch else self.array.rows

    def row_counts(self) -> dict[str, Any]:
        """Return the ledger's counts, named as the switches'."""
        return {f"switches.{name}": value for name, value in vars(self.ledger).items()}

    def set_row_counts(self, counts: Mapping[str, Any]) -> None:
        """Take the switches' counts out of a layer's."""
        own = {name.removeprefix("switches."): value for name, value in counts.items()}
        self.ledger = SwitchLedger(**{name: own[name] for name in vars(self.ledger)})

    def __len__(self) -> int:
        """Neurons of the layer."""
        return len(self.array)

    def samples(self, z: torch.Tensor, times: int) -> torch.Tensor:
        """Sample every neuron ``times`` times; bool ``[times, B, n]``.

        Raises
        ------
        UsageError
            For another width, or values that are not finite (nothing is then driven).
        """
        if z.dim() != 2 or z.shape[1] != len(self.array):
            raise UsageError(f"input of shape {tuple(z.shape)} does not fit {len(self.array)} switches")
        z = z.detach()
        if not bool(torch.isfinite(z.sum(dtype=torch.float64))):
            raise diverged()
        # A sample's attempts follow each other, so that a batch may be split anywhere.
        volts = torch.empty((len(z), times, z.shape[1]), dtype=torch.float64, device=z.device)
        self.curve.volts(volts[:, 0].copy_(z).mul_(self.activation.steepness))
        volts[:, 1:] = volts[:, :1]
        outcome = self.array.attempt(volts.view(-1, z.shape[1]), self.curve.seconds)
        self.ledger.attempts += volts.numel()
        self.ledger.flagged += count_of(cast(torch.Tensor, outcome.flags))
        return cast(torch.Tensor, outcome.switched).view(volts.shape).movedim(1, 0)

    def open_gates(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Combine two samples; count the gates that are open."""
        gates = cast(torch.Tensor, self.gate.open(first, second))
        self.ledger.gates += gates.numel()
        self.ledger.open += count_of(gates)
        return gates

    def activate(
        self, z: torch.Tensor, gated: bool, *, sampled: bool, per_batch: bool
    ) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Return the activations of ``z[B, n]``, and its gates where they are wanted.

        Parameters
        ----------
        sampled
            Whether an activation is the first sample instead of the function.
        per_batch
            Whether the gates are sampled once, at the batch's mean ``z``.
        """
        samples = None
        if gated:
            samples = self.samples(z.mean(dim=0, keepdim=True) if per_batch else z, 2)
        elif sampled:
            samples = self.samples(z, 1)
        gates = (
            self.open_gates(samples[0], samples[1]).expand_as(z) if gated and samples is not None else None
        )
        if sampled and samples is not None:
            low = self.activation.low
            return samples[0].expand_as(z).to(z.dtype) * (1.0 - low) + low, gates
        return (torch.tanh(z) if self.activation.name == "tanh" else torch.sigmoid(z)), gates

    def calibrate(self, attempts: int) -> None:
        """Find each device's V50 again, around the one believed of all."""
        found = calibrate(self.array, self.curve.v50, self.curve.seconds, attempts)
        self.curve = replace(self.curve, each_v50=torch.from_numpy(found))

    def described(self) -> str:
        """Name the array, activation and gate."""
        return f"{self.array.name}, {self.activation.name}, gate={self.gate.name}"

    @property
    def slope_scale(self) -> float:
        """What an open gate stands for: dE/dz is this times the error behind it."""
        return self.gate.scale * self.activation.factor

    def state_dict(self) -> dict[str, Any]:
        """The array's state, the counts and each device's V50, as tensors and plain values."""
        own = self.curve.each_v50
        state = {
            "array": self.array.state_dict(),
            "ledger": vars(self.ledger),
            "each_v50": None if own is None else own.numpy(),
        }
        return cast(dict[str, Any], as_tensors(state))

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back."""
        given = as_numpy(state)
        self.array.load_state_dict(given["array"])
        self.ledger = SwitchLedger(**given["ledger"])
        own = given["each_v50"]
        self.curve = replace(self.curve, each_v50=None if own is None else torch.from_numpy(own))

    def __deepcopy__(self, memo: dict[int, Any]) -> SwitchSampler:
        """Copy everything but the devices: there is only one chip."""
        return copied_around(self, self.array, memo)

"""EaPU: any ``torch.optim`` optimiser, its steps written to noisy devices only where it is worth a write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast, final

import torch

from labtrain.errors import UsageError
from labtrain.training.eapu.cells import Cells, NoisyIncrements
from labtrain.training.eapu.rules import Address, Probabilistic, WriteRule, Writes


def matrices_on_devices(name: str, parameter: torch.Tensor) -> bool:
    """Put tensors of two and more dimensions on devices: biases and norms stay digital, as published."""
    return bool(parameter.dim() > 1)


@final
class EaPU(torch.optim.Optimizer):  # type: ignore[misc]  # torch is not type-checked here
    """Wraps an optimiser so that the weights it moves live on devices.

    The inner optimiser makes its whole step in full precision, with its own state, weight decay and
    schedule; then for every tensor on devices the step is taken back and a :class:`WriteRule` says which
    cells are written (Nature Communications 2025, doi 10.1038/s41467-025-66240-7). It is an ordinary
    optimiser: schedulers, clipping, parameter groups, closures and gradient scalers work on it. Weights that
    you change between steps are taken as they are; a change through ``.data``, which torch does not see
    either, is taken for part of the next step.

    Parameters
    ----------
    inner
        Any optimiser; it keeps the parameter groups and the state.
    rule
        What is written; by default the published rule with ``threshold``.
    threshold
        The smallest change that is written, in weight units (published: 0.025); best equal to the write
        noise.
    write_noise
        Of the published device, in weight units (published: 0.025).
    cells
        Parameter -> its devices, for tensors on other devices than the published one.
    on_devices
        ``f(name, parameter)``: which tensors are on devices. Names are those of ``named_parameters`` where
        the inner optimiser was given them, else ``"0"``, ``"1"`` ... in its order.
    seed
        Of the write decisions and errors.

    Attributes
    ----------
    updates, written
        How many steps were made, and how many weights they wrote.
    cells
        Name -> devices of a tensor.

    Raises
    ------
    UsageError
        Where no tensor is on devices.

    Examples
    --------
    >>> import torch
    >>> from labtrain.training.eapu import EaPU
    >>> network = torch.nn.Linear(4, 3)
    >>> optimiser = EaPU(torch.optim.SGD(network.parameters(), lr=0.1), threshold=0.025, write_noise=0.025)
    >>> network(torch.ones(2, 4)).sum().backward()
    >>> optimiser.step()
    """

    def __init__(
        self,
        inner: torch.optim.Optimizer,
        *,
        rule: WriteRule | None = None,
        threshold: float = 0.025,
        write_noise: float = 0.025,
        cells: Mapping[torch.Tensor, Cells] | None = None,
        on_devices: Callable[[str, torch.Tensor], bool] = matrices_on_devices,
        seed: int = 0,
    ) -> None:
        self.inner = inner
        self.rule = Probabilistic(threshold) if rule is None else rule
        self.seed, self.updates, self.written = int(seed), 0, 0
        self._on_devices = on_devices
        self._given = dict(cells or {})
        self._write_noise = write_noise
        self.cells: dict[str, Cells] = {}
        self._tensors: dict[str, torch.Tensor] = {}
        self._before: dict[str, torch.Tensor] = {}
        self._last: dict[str, int] = {}
        self._known: dict[str, tuple[int, int] | None] = {}
        super().__init__(inner.param_groups, inner.defaults)
        # One list and one state, the inner optimiser's: what a scheduler changes here is changed there.
        self.param_groups, self.state = inner.param_groups, inner.state
        self._find_tensors()
        if not self.cells:
            raise UsageError(
                "no tensor of the optimiser is on devices",
                remedy="give it tensors of two or more dimensions, or another on_devices",
                key="on_devices",
            )

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group to the inner optimiser; its matrices are on devices as well."""
        if not self._tensors and not self.cells:  # called by torch's own constructor, with the inner groups
            self.param_groups.append(param_group)
            return
        self.inner.add_param_group(param_group)
        self._find_tensors()

    def __getstate__(self) -> dict[str, Any]:
        """Everything: torch's own leaves out what a subclass adds, and a copy would be empty."""
        return dict(self.__dict__)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """As the inner optimiser's."""
        self.inner.zero_grad(set_to_none)

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Let the inner optimiser step, take the step back on devices and write what the rule says."""
        for name, tensor in self._tensors.items():
            if self._known.get(name) != _version(tensor):
                self._before[name].copy_(tensor)
        loss = self.inner.step(closure)
        for name, tensor in self._tensors.items():
            writes = self._write(name, tensor)
            self._last[name] = len(writes.index)
            self.written += len(writes.index)
        self.updates += 1
        return loss

    def _write(self, name: str, tensor: torch.Tensor) -> Writes:
        """Take the step of a tensor back and write what the rule says."""
        before, weights = self._before[name].view(-1), tensor.detach().view(-1)
        address = Address(self.seed, f"eapu/{name}", self.updates)
        writes = self.rule.take(before, weights, address)
        kept = self.cells[name].write_both(weights, before, writes, address)
        self._known[name] = _version(tensor) if kept else None
        return writes

    @property
    def last_writes(self) -> dict[str, int]:
        """Weights written in the last step, by tensor."""
        return dict(self._last)

    @property
    def sizes(self) -> dict[str, int]:
        """Weights on devices, by tensor."""
        return {name: tensor.numel() for name, tensor in self._tensors.items()}

    @property
    def device_weights(self) -> int:
        """How many weights are on devices."""
        return sum(self.sizes.values())

    def write_ratio(self) -> float:
        """Weights written over weights on devices, averaged over the steps made (NaN before the first)."""
        if not self.updates:
            return float("nan")
        return self.written / (self.device_weights * self.updates)

    def state_dict(self) -> dict[str, Any]:
        """The inner optimiser's state, and under ``"eapu"`` updates, seed, rule and devices."""
        own = {
            "updates": self.updates,
            "written": self.written,
            "seed": self.seed,
            "rule": {"name": self.rule.name, "state": self.rule.state_dict()},
            "cells": {name: cells.state_dict() for name, cells in self.cells.items()},
        }
        return {**self.inner.state_dict(), "eapu": own}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take :meth:`state_dict`'s result back.

        Raises
        ------
        UsageError
            For the state of an optimiser with other tensors on devices or another rule; nothing is changed.
        """
        own = state_dict.get("eapu")
        if own is None or set(own["cells"]) != set(self.cells) or own["rule"]["name"] != self.rule.name:
            given = "no devices" if own is None else f"{own['rule']['name']} on {', '.join(own['cells'])}"
            raise UsageError(
                f"the state is of an optimiser with {given}, this one is {self.rule.name} on"
                f" {', '.join(self.cells)}",
                remedy="build network and optimiser as they were when the state was saved",
            )
        self.inner.load_state_dict({key: value for key, value in state_dict.items() if key != "eapu"})
        self.param_groups, self.state = self.inner.param_groups, self.inner.state
        self.updates, self.written, self.seed = (int(own[key]) for key in ("updates", "written", "seed"))
        self.rule.load_state_dict(own["rule"]["state"])
        for name, state in own["cells"].items():
            self.cells[name].load_state_dict(state)

    def _find_tensors(self) -> None:
        position = 0
        for group in self.inner.param_groups:
            names = group.get("param_names") or [str(position + i) for i in range(len(group["params"]))]
            position += len(group["params"])
            for name, tensor in zip(names, group["params"], strict=True):
                if name not in self.cells and self._on_devices(name, tensor):
                    _require_contiguous(name, tensor)
                    self._tensors[name] = tensor
                    self._before[name] = torch.empty_like(tensor, requires_grad=False)
                    given = self._given.get(tensor)
                    self.cells[name] = NoisyIncrements(self._write_noise) if given is None else given


def _version(tensor: torch.Tensor) -> tuple[int, int]:
    """What changes when a tensor's values do, unless they are changed behind torch's back (``.data``)."""
    return tensor.data_ptr(), tensor._version  # noqa: SLF001 - how torch itself finds changes in place


def _require_contiguous(name: str, tensor: torch.Tensor) -> None:
    if not cast(bool, tensor.is_contiguous()):
        raise UsageError(
            f"the weights {name} are not contiguous in memory", remedy="call .contiguous() on them first"
        )

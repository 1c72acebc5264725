"""A linear layer whose product is read from a crossbar of synapses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, final

import torch

from labtrain.errors import UsageError
from labtrain.training.eapu.pairs import PairedSynapses
from labtrain.training.one_chip import copied_around
from labtrain.training.processes import OnDevices


@final
class CrossbarLinear(torch.nn.Module, OnDevices):  # type: ignore[misc]  # torch is not type-checked here
    """``y = x W^T + b`` with ``x W^T`` measured: voltages on the rows, currents of the column pairs.

    ``weight`` holds what was last read of the cells: it serves the backward pass and the optimiser, never the
    forward product. The bias is digital.

    Parameters
    ----------
    synapses
        The cells, shared (never copied) by deep copies of the layer.
    input_range
        The largest ``|x|``: it becomes the array's largest read voltage; more is clipped there and flagged.
    dtype
        Of weight and bias.

    Attributes
    ----------
    multiplications, flagged
        Products of one sample measured, and those that came back flagged.
    """

    def __init__(
        self, synapses: PairedSynapses, *, input_range: float = 1.0, dtype: torch.dtype | None = None
    ) -> None:
        super().__init__()
        if not 0.0 < input_range < float("inf"):
            raise UsageError(f"input_range = {input_range} cannot be", remedy="give the largest |x|")
        self.synapses, self.input_range = synapses, float(input_range)
        self.in_features, self.out_features = synapses.inputs, synapses.outputs
        self.weight = torch.nn.Parameter(synapses.read().to(dtype or torch.get_default_dtype()))
        self.bias = torch.nn.Parameter(torch.zeros(self.out_features, dtype=self.weight.dtype))
        self.multiplications = self.flagged = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Measure the product of ``x[..., in]``; return ``[..., out]``.

        Raises
        ------
        UsageError
            For another width, or values that are not finite (nothing is then driven).
        """
        if x.shape[-1:] != (self.in_features,):
            raise UsageError(f"input of shape {tuple(x.shape)} does not fit {self.in_features} rows")
        return cast(torch.Tensor, _Product.apply(x, self.weight, self)) + self.bias

    def measure(self, x: torch.Tensor) -> torch.Tensor:
        """Return the measured ``x W^T`` of a flat batch ``[B, in]``, float64 on the host."""
        array = self.synapses.array
        volts_per_unit = array.max_volts / self.input_range
        volts = x.detach().to("cpu", torch.float64) * volts_per_unit
        currents = array.multiply(volts)
        self.multiplications += len(volts)
        self.flagged += int((currents.flags != 0).any(dim=1).sum())
        pairs = currents.amperes.view(len(volts), self.out_features, 2)
        scale = volts_per_unit * self.synapses.siemens_per_unit
        return cast(torch.Tensor, (pairs[:, :, 0] - pairs[:, :, 1]) / scale)

    @property
    def shared_rows(self) -> None:
        """None: a crossbar's batches are whole."""

    def row_counts(self) -> dict[str, Any]:
        """Of products."""
        return {"multiplications": self.multiplications, "flagged": self.flagged}

    def set_row_counts(self, counts: Mapping[str, Any]) -> None:
        """Take others."""
        self.multiplications, self.flagged = counts["multiplications"], counts["flagged"]

    def get_extra_state(self) -> dict[str, Any]:
        """Counters and the cells' state."""
        return {
            "multiplications": self.multiplications,
            "flagged": self.flagged,
            "synapses": self.synapses.state_dict(),
        }

    def set_extra_state(self, state: dict[str, Any]) -> None:
        """Take them back."""
        self.multiplications, self.flagged = int(state["multiplications"]), int(state["flagged"])
        self.synapses.load_state_dict(state["synapses"])

    def __deepcopy__(self, memo: dict[int, Any]) -> CrossbarLinear:
        """Copy everything but the devices: there is only one crossbar."""
        return copied_around(self, self.synapses, memo)

    def extra_repr(self) -> str:
        """Name the array and the sizes."""
        return f"{self.synapses.array.name}, in={self.in_features}, out={self.out_features}"


class _Product(torch.autograd.Function):  # type: ignore[misc]
    """Forward: the crossbar. Backward: what was last read of its cells."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, weight: torch.Tensor, layer: CrossbarLinear) -> torch.Tensor:
        ctx.save_for_backward(x, weight)
        flat = x.reshape(-1, x.shape[-1])
        return layer.measure(flat).to(x.device, weight.dtype).view(*x.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        x, weight = ctx.saved_tensors
        flat = gradient.reshape(-1, gradient.shape[-1])
        inputs = x.reshape(-1, x.shape[-1]).to(gradient.dtype)
        return (gradient @ weight).to(x.dtype), flat.T @ inputs, None

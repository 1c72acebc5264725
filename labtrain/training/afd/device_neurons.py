"""Device neurons as an ordinary torch layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, final

import numpy as np
import torch
from numpy.typing import NDArray

from labtrain.arrays.batch_rows import BatchRows
from labtrain.arrays.neurons import NeuronArray
from labtrain.errors import UsageError
from labtrain.training.afd.calibration import Calibration, quantised
from labtrain.training.afd.estimators import SlopeEstimator
from labtrain.training.afd.fused_layer import FusedCache, single
from labtrain.training.afd.ledger import NeuronLedger
from labtrain.training.afd.mapping import BiasMapping
from labtrain.training.one_chip import copied_around, diverged
from labtrain.training.passes import first_order, outside_graphs
from labtrain.training.processes import OnDevices
from labtrain.training.state import as_numpy, as_tensors


@final
class DeviceNeurons(torch.nn.Module, OnDevices):  # type: ignore[misc]  # torch is not type-checked here
    """An activation layer whose neurons are devices: z -> I -> V -> a, element by element.

    Input and output are ``[..., n]`` of the same dtype and device. The forward pass reads V(I) once a
    batch; only while training with gradients enabled does the estimator read what the slope needs.
    Gradients follow da/dz = (kappa / s) dV/dI with the slope that the hardware gave.

    Parameters
    ----------
    array
        The devices, shared (never copied) by deep copies of the layer.
    estimator
        How slopes are read.
    mapping
        Pre-activation to current, voltage to activation.

    Notes
    -----
    The layer computes in float64 on the host, whatever the network's dtype: that is what instruments take
    and give. Only where a float32 network meets an array that can do a layer's pass at once (directly
    simulated pairs), everything stays in float32: the same draws, values equal to rounding.
    Double backward is refused: there is no second derivative in two readings. ``torch.compile`` compiles
    the network around the layer and breaks its graph here.
    """

    def __init__(self, array: NeuronArray, estimator: SlopeEstimator, mapping: BiasMapping) -> None:
        super().__init__()
        if len(array) != len(mapping.centre_amperes):
            raise UsageError(
                f"a mapping of {len(mapping.centre_amperes)} neurons does not fit array {array.name!r}"
                f" of {len(array)}",
                remedy="fit the mapping to the calibration read of the same neurons",
            )
        self.array = array
        self.estimator = estimator
        self.mapping = mapping
        self.ledger = NeuronLedger.of(len(array))
        self.last_look = self.ledger.copy()
        self._fused = FusedCache()

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Read the devices at pre-activations ``z[..., n]``; return activations of the same shape.

        Raises
        ------
        UsageError
            For another width, or values that are not finite (nothing is then driven).
        """
        return outside_graphs(_Respond, z, self, self.training and torch.is_grad_enabled())

    def currents(self, z: torch.Tensor) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return the source's currents for ``z`` as a batch ``[B, n]``, and where clipped."""
        n = len(self.array)
        if z.shape[-1:] != (n,):
            raise UsageError(f"input of shape {tuple(z.shape)} does not fit {n} device neurons")
        flat = z.detach().to("cpu", torch.float64).reshape(-1, n).numpy()
        if not np.isfinite(flat).all():
            raise diverged()
        amperes, clipped = self.mapping.amperes(flat)
        self.ledger.tally.clipped[:] += np.count_nonzero(clipped, axis=0)
        return quantised(amperes, self.array.resolution_amperes), clipped

    def read(self, amperes: NDArray[np.float64]) -> NDArray[np.float64]:
        """Read voltages only, ``[B, n]``."""
        reading = self.array.respond(amperes)
        volts = np.asarray(reading.volts, dtype=np.float64)
        self.ledger.count(amperes, volts, np.asarray(reading.flags), volts.size, slopes=False)
        return volts

    def read_with_slope(
        self, amperes: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Read voltages and the estimator's slopes, ``[B, n]`` each."""
        response = self.estimator.respond(self.array, amperes)
        self.ledger.count(amperes, response.volts, response.flags, response.readings, slopes=True)
        return response.volts, response.ohms

    def pass_at_once(self, z: torch.Tensor, slopes: bool) -> tuple[torch.Tensor, torch.Tensor | None] | None:
        """Return activations and da/dz of one compiled pass; None where this layer has none."""
        fused = self._fused.layer(self.array, self.estimator, self.mapping) if single(z) else None
        if fused is None:
            return None
        n = len(self.array)
        if z.shape[-1:] != (n,):
            raise UsageError(f"input of shape {tuple(z.shape)} does not fit {n} device neurons")
        rows = z.detach().numpy().reshape(-1, n)
        reading = fused.read(np.ascontiguousarray(rows), slopes, self.ledger.tally)
        if reading is None:
            raise diverged()
        self.ledger.add((1 + slopes) * rows.size, len(rows), slopes)
        activations, derivatives = reading
        shape = z.shape
        return (
            torch.from_numpy(activations.reshape(shape)),
            None if derivatives is None else torch.from_numpy(derivatives.reshape(shape)),
        )

    def recalibrate(self, calibration: Calibration, mapping: BiasMapping | None = None) -> None:
        """Take a fresh calibration read: new offset curves, and a new mapping where given."""
        self.estimator.prepare(calibration)
        if mapping is not None:
            self.mapping = mapping

    def rewire(self, array: NeuronArray, estimator: SlopeEstimator, mapping: BiasMapping) -> None:
        """Put other devices (as many), their estimator and their mapping into the layer's place."""
        self.array, self.estimator, self.mapping = array, estimator, mapping

    @property
    def shared_rows(self) -> BatchRows | None:
        """The array's."""
        return self.array.rows

    def row_counts(self) -> dict[str, Any]:
        """Return the ledger's."""
        return self.ledger.state_dict()

    def set_row_counts(self, counts: Mapping[str, Any]) -> None:
        """Take a ledger's counts."""
        self.ledger = NeuronLedger.restored(counts)

    def get_extra_state(self) -> dict[str, Any]:
        """Device counters, mapping, calibration and ledger, as tensors and plain values."""
        state = {
            "neurons": len(self.array),
            "estimator": self.estimator.name,
            "array": self.array.state_dict(),
            "mapping": vars(self.mapping),
            "calibration": self.estimator.state_dict(),
            "ledger": self.ledger.state_dict(),
        }
        return cast(dict[str, Any], as_tensors(state))

    def set_extra_state(self, state: Mapping[str, Any]) -> None:
        """Take :meth:`get_extra_state`'s result back.

        Raises
        ------
        UsageError
            For the state of another layer; nothing is then changed.
        """
        given = as_numpy(state)
        if (given["neurons"], given["estimator"]) != (len(self.array), self.estimator.name):
            raise UsageError(
                f"the checkpoint is of {given['neurons']} neurons with estimator {given['estimator']},"
                f" the layer has {len(self.array)} with {self.estimator.name}",
                remedy="build the network as it was when the checkpoint was written",
            )
        self.mapping = BiasMapping(**given["mapping"])
        self.estimator.load_state_dict(given["calibration"])
        self.array.load_state_dict(given["array"])
        self.ledger = NeuronLedger.restored(given["ledger"])

    def __deepcopy__(self, memo: dict[int, Any]) -> DeviceNeurons:
        """Copy everything but the devices: there is only one chip."""
        return copied_around(self, self.array, memo)

    def extra_repr(self) -> str:
        """Name the array and the estimator."""
        return f"{self.array.name}, n={len(self.array)}, estimator={self.estimator.name}"


def device_layers(network: torch.nn.Module) -> list[DeviceNeurons]:
    """List the device layers of a network, first to last."""
    return [layer for layer in network.modules() if isinstance(layer, DeviceNeurons)]


class _Respond(torch.autograd.Function):  # type: ignore[misc]
    """Forward: the devices. Backward: the slope that was read with them."""

    @staticmethod
    def forward(ctx: Any, z: torch.Tensor, layer: DeviceNeurons, slopes: bool) -> torch.Tensor:
        ctx.has_slopes = slopes and ctx.needs_input_grad[0]
        at_once = layer.pass_at_once(z, ctx.has_slopes)
        if at_once is not None:
            activations, derivatives = at_once
            if derivatives is not None:
                ctx.save_for_backward(derivatives)
            return activations
        amperes, clipped = layer.currents(z)
        if ctx.has_slopes:
            volts, ohms = layer.read_with_slope(amperes)
            gain = np.where(clipped, 0.0, layer.mapping.gain(ohms))
            ctx.save_for_backward(_like(gain, z))
        else:
            volts = layer.read(amperes)
        return _like(layer.mapping.activation(volts), z)

    @staticmethod
    @first_order("device neurons", "two readings hold a first derivative only")
    def backward(ctx: Any, gradient: torch.Tensor) -> Any:
        if not ctx.has_slopes:
            raise UsageError(
                "this forward pass ran in eval mode, so the devices' slopes were not read",
                remedy="call train() on the network before a forward pass whose gradient you need",
            )
        (slope,) = ctx.saved_tensors  # unpacked once only: recomputation counts
        return gradient * slope, None, None


def _like(values: NDArray[np.float64], z: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy(values.reshape(tuple(z.shape))).to(z.device, z.dtype)

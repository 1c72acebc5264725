"""Processes that ``torchrun`` (or any launcher that sets torch's variables) has started beside this one.

Batches are dealt as one process deals them, and each process takes a contiguous part. Losses are weighted by
the part's size and gradients summed, so that the step is that of the whole batch's mean, to rounding; every
process gets the same sums, to the bit, and makes the same step.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, final

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray

from labtrain.arrays.batch_rows import BatchRows
from labtrain.errors import CheckFailed, ProcessLost, UsageError
from labtrain.training.batch_norms import share_norms
from labtrain.training.determinism import state_digest
from labtrain.training.processes import Alone, CountsRows, OnDevices, Processes

PATIENCE_SECONDS = 300.0
"""How long a process waits for the others at one sum. One that has ended is noticed at once; this is for one
that hangs, and must be longer than anything that one does alone (a checkpoint of the first)."""
VARIABLES = ("RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")


@contextmanager
def joined(patience: float = PATIENCE_SECONDS) -> Iterator[Processes]:
    """Meet the processes that the launcher has started, for the length of the block; be alone without one.

    A process group that is open already is used, and stays open.

    Raises
    ------
    ProcessLost
        Where they do not come.
    """
    if dist.is_initialized():
        yield Torchrun(str(dist.get_backend_config()))
        return
    if not all(name in os.environ for name in VARIABLES) or int(os.environ["WORLD_SIZE"]) == 1:
        yield Alone()
        return
    backend = "cpu:gloo"
    if torch.cuda.is_available() and dist.is_nccl_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", 0)) % torch.cuda.device_count())
        backend = "cpu:gloo,cuda:nccl"
    with _noticing("meeting"):
        dist.init_process_group(backend, timeout=timedelta(seconds=patience))
    try:
        yield Torchrun(backend)
    finally:
        dist.destroy_process_group()


@final
class Torchrun(Processes):
    """The process group that is open.

    Parameters
    ----------
    backend
        What carries the sums: gloo between CPUs, NCCL between GPUs.
    """

    def __init__(self, backend: str) -> None:
        self.count, self.rank, self.backend = dist.get_world_size(), dist.get_rank(), backend
        self.rows = _SharedRows(self.rank)

    def described(self) -> dict[str, Any]:
        """Say how many there are, and what carries their sums."""
        return {"count": self.count, "backend": self.backend}

    def prepare(self, network: torch.nn.Module, samples: int, batch_size: int) -> None:
        """Sum batch normalisations over all processes; refuse what cannot be shared."""
        smallest = min(batch_size, samples % batch_size or batch_size)
        if smallest < self.count:
            raise UsageError(
                f"the smallest batch has {smallest} samples, too few for {self.count} processes",
                remedy=f"choose a batch_size that leaves {self.count} or more of {samples} to the last",
                key="batch_size",
            )
        for name, layer in network.named_modules():
            if isinstance(layer, OnDevices) and layer.shared_rows is not self.rows:
                raise UsageError(
                    f"the devices of layer {name} know nothing of a batch that {self.count} processes share",
                    remedy="train it with one process; simulated neurons, switches and streams take rows=",
                )
        share_norms(network, self)

    @contextmanager
    def part(self, total: int) -> Iterator[slice]:
        """Give a contiguous part; parts differ by at most one sample, the first ones are the larger."""
        each, more = divmod(total, self.count)
        start = self.rank * each + min(self.rank, more)
        stop = start + each + (self.rank < more)
        with self.rows.part(start, stop - start, total - stop):
            yield slice(start, stop)

    def weighted(self, loss: torch.Tensor, own: int, total: int) -> torch.Tensor:
        """Weight by the part's size."""
        return loss * (own / total)

    def sum_gradients(self, network: torch.nn.Module, loss: torch.Tensor) -> float:
        """Sum in one message for each kind of number; the loss travels with them."""
        tensors = [tensor for tensor in network.parameters() if tensor.grad is not None]
        total, *gradients = self.summed([loss.detach(), *(tensor.grad for tensor in tensors)])
        for tensor, gradient in zip(tensors, gradients, strict=True):
            tensor.grad = gradient
        return float(total.item())

    def summed(self, tensors: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """Return the sums of tensors over all processes; each gets the same bits."""
        kinds: dict[tuple[torch.dtype, torch.device], list[int]] = {}
        for place, tensor in enumerate(tensors):
            kinds.setdefault((tensor.dtype, tensor.device), []).append(place)
        sums = list(tensors)
        for places in kinds.values():
            flat = torch.cat([tensors[place].reshape(-1) for place in places])
            with _noticing("a sum"):
                dist.all_reduce(flat)
            pieces = flat.split([tensors[place].numel() for place in places])
            for place, piece in zip(places, pieces, strict=True):
                sums[place] = piece.view(tensors[place].shape)
        return sums

    @contextmanager
    def counting(self, network: torch.nn.Module) -> Iterator[None]:
        """Add up what each process counted since the beginning of the block."""
        layers = [layer for layer in network.modules() if isinstance(layer, CountsRows)]
        before = [layer.row_counts() for layer in layers]
        yield
        for layer, begun in zip(layers, before, strict=True):
            layer.set_row_counts(
                {name: self._added(now, begun[name]) for name, now in layer.row_counts().items()}
            )

    def _added(self, now: Any, begun: Any) -> Any:
        """Return ``begun`` and every process's growth, of the kind that ``now`` is."""
        grown = self.summed([torch.as_tensor(np.asarray(now) - np.asarray(begun))])[0]
        total = np.asarray(begun) + grown.numpy()
        return total if isinstance(now, np.ndarray) else type(now)(total)

    def require_equal(self, state: Callable[[], Any], when: str) -> None:
        """Compare digests of everything there is: weights, devices, optimiser, counts.

        Raises
        ------
        CheckFailed
            Naming the processes that are not as the first one is.
        """
        own = np.array([state_digest(state())], np.uint64).view(np.int64)
        digests = self.rows.of_all(own)[:, 0]
        others = np.flatnonzero(digests != digests[0])
        if others.size:
            raise CheckFailed(
                f"{when} process {', '.join(map(str, others))} is no longer equal to process 0",
                remedy="use machines of one kind with the same versions; the record is good up to here",
            )

    def of_first(self, value: Any) -> Any:
        """Send a value from the first process to all."""
        told = [value if self.first else None]
        with _noticing("news of the first process"):
            dist.broadcast_object_list(told)
        return told[0]


@final
class _SharedRows(BatchRows):
    def __init__(self, rank: int) -> None:
        super().__init__()
        self.rank = rank

    def of_all(self, values: NDArray[Any]) -> NDArray[Any]:
        own = torch.from_numpy(np.ascontiguousarray(values))
        told = [torch.empty_like(own) for _ in range(dist.get_world_size())]
        with _noticing("what the others have to tell"):
            dist.all_gather(told, own)
        return np.stack([one.numpy() for one in told])


@contextmanager
def _noticing(what: str) -> Iterator[None]:
    """Say that another process is gone, instead of what torch says then."""
    try:
        yield
    except RuntimeError as error:  # torch.distributed's errors are all of this kind
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ProcessLost(
            f"another process of this training has ended, or has not answered: waited for {what} ({said})",
            remedy="the other's message says why; resume goes on from the last checkpoint",
        ) from error

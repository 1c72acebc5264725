"""Bit-for-bit training: one stated thread count, deterministic kernels, digests of weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import xxhash

from labtrain.session.provenance import register_provenance


@contextmanager
def deterministic(threads: int = 1) -> Iterator[None]:
    """Run torch with ``threads`` threads, deterministic algorithms and its generator at the beginning.

    All three are restored afterwards. Sums split over threads differ in their last bits, so the number
    belongs to the record; where the generator stood before would stand in every checkpoint.
    """
    before = torch.get_num_threads()
    kernels = torch.get_deterministic_debug_mode()
    drawn = torch.get_rng_state()
    torch.set_num_threads(threads)
    torch.default_generator.manual_seed(0)
    # use_deterministic_algorithms() is the same switch, but imports torch's compiler: seconds, for nothing.
    torch.set_deterministic_debug_mode("error")
    try:
        yield
    finally:
        torch.set_num_threads(before)
        torch.set_rng_state(drawn)
        torch.set_deterministic_debug_mode(kernels)


def weights_digest(network: torch.nn.Module) -> str:
    """Return xxh3 (64 bits, hexadecimal) over all parameters' names, shapes and bytes, in order."""
    digest = xxhash.xxh3_64()
    for name, parameter in network.named_parameters():
        digest.update(f"{name}{tuple(parameter.shape)}{parameter.dtype}".encode())
        digest.update(parameter.detach().cpu().contiguous().view(torch.uint8).numpy())
    return digest.hexdigest()


def state_digest(state: Any) -> int:
    """Return xxh3 (64 bits) over a ``state_dict``: names, numbers and texts, types and bytes of tensors."""
    digest = xxhash.xxh3_64()
    _add(digest, state)
    return digest.intdigest()


def _add(digest: xxhash.xxh3_64, value: Any) -> None:
    if isinstance(value, Mapping):
        for key, item in value.items():
            digest.update(repr(key).encode())
            _add(digest, item)
    elif isinstance(value, (list, tuple)):
        digest.update(f"[{len(value)}]".encode())
        for item in value:
            _add(digest, item)
    elif isinstance(value, (torch.Tensor, np.ndarray)):
        plain = torch.as_tensor(value).detach().cpu().contiguous()
        digest.update(f"{tuple(plain.shape)}{plain.dtype}".encode())
        digest.update(plain.view(-1).view(torch.uint8).numpy())
    else:
        digest.update(repr(value).encode())


def torch_provenance() -> dict[str, object]:
    """Describe what decides torch's last bits on this machine."""
    return {
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
    }


register_provenance("torch", torch_provenance)

"""Addressed random bytes by the tensorful, in torch on any device."""

from __future__ import annotations

import torch

from labtrain import noise

BLOCK = 4096
"""Bytes that share a cell of the addressed words."""
WORDS = BLOCK // 4

_HIGH_WORD = 0x2C1B3C6D
_FACTORS = (0x7FEB352D, 0x846CA68B - (1 << 32))


def octets(seed: int, stream: int, block: int, count: int, k: int, device: torch.device) -> torch.Tensor:
    """Return ``[count]`` uint8 of the update ``k`` of cells ``BLOCK block`` and following.

    Byte ``i`` of a block is byte ``i % 4``, lowest first, of the 32 bits of ``noise.bits`` for cell ``block``
    and event ``WORDS k + i // 4``. The words are mixed in 32-bit integers, whose products wrap as the mixer's
    do: half the width, and some ten times the speed, of :func:`labtrain.noise.bits`.
    """
    blocks = -(-count // BLOCK)
    words = torch.arange(WORDS, dtype=torch.int32, device=device) + _wrapped(WORDS * k)
    high = ((WORDS * k >> 32) * _HIGH_WORD) & 0xFFFFFFFF
    keys = [noise.cell_keys(seed, stream, block + i) for i in range(blocks)]
    starts = torch.tensor([[_wrapped(start)] for start, _, _ in keys], dtype=torch.int32, device=device)
    offsets = torch.tensor([[_wrapped(key + high)] for _, key, _ in keys], dtype=torch.int32, device=device)
    mixed = words ^ starts
    spare = torch.empty_like(mixed)
    _mix(mixed, spare)
    mixed += offsets
    _mix(mixed, spare)
    return mixed.view(-1).view(torch.uint8)[:count]


def _mix(word: torch.Tensor, spare: torch.Tensor) -> None:
    """Permute 32-bit words in place (lowbias32); the shifts of signed integers bring ones, masked away."""
    for shift, factor in zip((16, 15), _FACTORS, strict=True):
        torch.bitwise_right_shift(word, shift, out=spare).bitwise_and_((1 << (32 - shift)) - 1)
        word.bitwise_xor_(spare).mul_(factor)
    torch.bitwise_right_shift(word, 16, out=spare).bitwise_and_(0xFFFF)
    word.bitwise_xor_(spare)


def _wrapped(value: int) -> int:
    """The signed 32-bit integer with the low bits of ``value``."""
    low = value & 0xFFFFFFFF
    return low - (1 << 32) if low >= 1 << 31 else low

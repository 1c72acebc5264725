"""Addressed random bytes by the tensorful, in torch on any device."""

from __future__ import annotations

from functools import lru_cache

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
    starts, keys, words = _keys(seed, stream, block, -(-count // BLOCK), device)
    high = ((WORDS * k >> 32) * _HIGH_WORD) & 0xFFFFFFFF
    mixed = torch.bitwise_xor(words + _wrapped(WORDS * k), starts)
    spare = torch.empty_like(mixed)
    _mix(mixed, spare)
    mixed += keys + _wrapped(high)
    _mix(mixed, spare)
    return mixed.view(-1).view(torch.uint8)[:count]


@lru_cache(maxsize=1 << 14)
def _keys(
    seed: int, stream: int, block: int, blocks: int, device: torch.device
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """What all updates of some blocks share: starts and keys ``[blocks, 1]``, and a row ``[WORDS]``."""
    keys = [noise.cell_keys(seed, stream, block + i) for i in range(blocks)]
    starts, offsets = (
        torch.tensor([[_wrapped(key[part])] for key in keys], dtype=torch.int32, device=device)
        for part in (0, 1)
    )
    return starts, offsets, torch.arange(WORDS, dtype=torch.int32, device=device)


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

"""Packed bit streams: the bits of the plain definition, whatever the digits, the memory or the batch."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from labtrain import noise
from labtrain.kernels import stream_products, stream_words
from labtrain.kernels.sequences import uniforms

SEED, STREAM = 7, noise.stream("test/streams")


def uniform_words(cells: np.ndarray, piece: int) -> np.ndarray:
    """The 64 32-bit uniforms of one piece, ``[n, 64]``, digit by digit from the addressed words."""
    found = np.zeros((len(cells), 64), np.int64)
    for digit in range(32):
        words = noise._words(SEED, STREAM, cells.astype(np.int64), np.int64(32 * piece + digit))
        for half, word in enumerate(words):
            for step in range(32):
                found[:, 32 * half + step] |= ((word >> step) & 1) << (31 - digit)
    return found


def plain_streams(low, high, start, first, n_bits, own) -> np.ndarray:
    rows, n = low.shape
    pieces = stream_words.pieces_of(n_bits)
    bits = np.zeros((rows, n_bits, n), np.uint8)
    for r in range(rows):
        cells = np.arange(n) + (r * n if own else 0)
        state = start[r].astype(np.int64)
        for t in range(n_bits):
            if t % 64 == 0:
                drawn = uniform_words(cells, first + (0 if own else r * pieces) + t // 64)
            u = drawn[:, t % 64]
            state = np.where(u < low[r], 1, np.where(u < high[r], state, 0))
            bits[r, t] = state
    return bits


def unpacked(words: np.ndarray, n_bits: int) -> np.ndarray:
    """``[rows, n_bits, n]``."""
    t = np.arange(n_bits)
    return ((words[:, t // 32] >> (t % 32).astype(np.uint32)[None, :, None]) & 1).astype(np.uint8)


probabilities = st.one_of(
    st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]), st.floats(0, 1), st.integers(0, 10).map(lambda k: k / 10)
)


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 150),
    st.booleans(),
    st.booleans(),
    st.sampled_from([0, 5, 2**28, 2**33]),
    st.data(),
)
def test_streams_are_the_plain_definition_s(rows, n, n_bits, own, memory, first, data) -> None:
    p = np.array([data.draw(probabilities) for _ in range(rows * n)]).reshape(rows, n)
    rho = np.array([data.draw(st.floats(0, 1)) for _ in range(rows * n)]).reshape(rows, n) * memory
    low = stream_words.thresholds(p * (1 - rho))
    high = np.maximum(stream_words.thresholds(p * (1 - rho) + rho), low)
    start = np.array([data.draw(st.booleans()) for _ in range(rows * n)]).reshape(rows, n).astype(np.uint8)
    words = stream_words.streams(
        low,
        high if memory else None,
        start if memory else None,
        (SEED, STREAM),
        first,
        n_bits,
        own_cells=own,
    )
    expected = plain_streams(low, high if memory else low, start, first, n_bits, own)
    assert np.array_equal(unpacked(words, n_bits), expected)
    padding = unpacked(words, 32 * words.shape[1])[:, n_bits:]
    assert not padding.any(), "bits past the end are 0"


def test_a_batch_may_be_split() -> None:
    low = stream_words.thresholds(uniforms(1, 1, 0, 0, 5 * 9).reshape(5, 9))
    whole = stream_words.streams(low, None, None, (SEED, STREAM), 3, 100, own_cells=False)
    parts = [
        stream_words.streams(low[a:b], None, None, (SEED, STREAM), 3 + 2 * a, 100, own_cells=False)
        for a, b in ((0, 2), (2, 5))
    ]
    assert np.array_equal(whole, np.concatenate(parts))


def test_shares_and_neighbours_are_those_of_the_chain() -> None:
    """Shares of ones and of changes, every generator by itself; family error 1e-3 (Bonferroni)."""
    n, n_bits = 40, 40_000
    p = np.linspace(0.02, 0.98, n)
    for rho in (0.0, 0.6):
        low = stream_words.thresholds(p * (1 - rho))[None]
        high = stream_words.thresholds(p * (1 - rho) + rho)[None]
        start = (uniforms(3, 3, 0, 0, n) < p).astype(np.uint8)[None]
        bits = unpacked(
            stream_words.streams(low, high, start, (SEED, STREAM), 0, n_bits, own_cells=True), n_bits
        )[0].astype(float)
        share = bits.mean(axis=0)
        size = np.sqrt(p * (1 - p) * (1 + rho) / (1 - rho) / n_bits)
        after_one = (bits[1:] * bits[:-1]).sum(axis=0) / bits[:-1].sum(axis=0)
        stays = p + (1 - p) * rho
        size_after = np.sqrt(stays * (1 - stays) / bits[:-1].sum(axis=0))
        limit = stats.norm.isf(1e-3 / 2 / (4 * n))
        assert np.abs((share - p) / size).max() < limit
        assert np.abs((after_one - stays) / size_after).max() < limit


def some_words(rows: int, n_bits: int, n: int, k: int) -> np.ndarray:
    half = stream_words.thresholds(np.full((rows, n), 0.5))
    return stream_words.streams(half, None, None, (k, 5), 0, n_bits, own_cells=True)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 5), st.integers(1, 9), st.integers(1, 70), st.integers(1, 40), st.booleans())
def test_products_are_counted_bit_by_bit(b: int, o: int, n_bits: int, n: int, signed: bool) -> None:
    x, w = some_words(b, n_bits, n, 1), some_words(o, n_bits, n, 2)
    xb = unpacked(x, n_bits)[:, None].astype(np.int64)
    wb = unpacked(w, n_bits)[None].astype(np.int64)
    assert np.array_equal(stream_products.differing(x, w), (xb != wb).sum(axis=(2, 3)))
    signs = -((np.arange(o * n).reshape(o, n) * 7 % 3 == 0) & signed).astype(np.int32)
    counted = ((xb & wb) * (1 + 2 * signs)[None, :, None, :]).sum(axis=(2, 3))
    assert np.array_equal(stream_products.common(x, w, signs), counted)


def test_a_multiplexer_takes_one_product_a_step_the_same_for_all_neurons() -> None:
    b, o, n_bits, n = 3, 4, 70, 6
    x, w = some_words(b, n_bits, n, 3), some_words(o, n_bits, n, 4)
    xb, wb = unpacked(x, n_bits), unpacked(w, n_bits)
    drawn = noise.bits(9, 11, 0, np.arange(5, 5 + b * n_bits)).astype(np.int64).reshape(b, n_bits)
    chosen, steps = (drawn * n) >> 32, np.arange(n_bits)
    signs = -(np.arange(o * n).reshape(o, n) % 2).astype(np.int32)
    alike = np.zeros((b, o), np.int64)
    signed = np.zeros((b, o), np.int64)
    for row in range(b):
        for neuron in range(o):
            one, other = xb[row, steps, chosen[row]], wb[neuron, steps, chosen[row]]
            alike[row, neuron] = (one == other).sum()
            signed[row, neuron] = ((one & other) * (1 + 2 * signs[neuron, chosen[row]])).sum()
    assert np.array_equal(stream_products.selected(x, w, None, (9, 11), 5, n_bits), alike)
    assert np.array_equal(stream_products.selected(x, w, signs, (9, 11), 5, n_bits), signed)

"""Parts of a batch draw what the whole batch draws, bit for bit, and leave the devices where it does."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared_rigs import together
from test_training_fused import make_layer

from labtrain.arrays import simulated_switches
from labtrain.arrays.batch_rows import BatchRows
from labtrain.arrays.plain import as_numpy
from labtrain.arrays.simulated_switches import SimulatedSwitchArray
from labtrain.errors import UsageError
from labtrain.populations import draw
from labtrain.training import DeviceNeurons
from labtrain.training.stochastic import (
    BIPOLAR,
    UNIPOLAR,
    Counting,
    Memory,
    SimulatedGenerators,
    StochasticLinear,
)

WIDTH = 12
WIDTH_SECONDS = 0.75e-9
"""Of pulses: V50 is 0.9 V there."""
PARTS = st.lists(st.integers(1, 30), min_size=2, max_size=4)


def pre_activations(batch: int, dtype: torch.dtype) -> torch.Tensor:
    return 2.0 * torch.sin(torch.arange(batch * WIDTH, dtype=dtype)).reshape(batch, WIDTH)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=["fused", "plain"])
@pytest.mark.parametrize("estimator", ["pair", "calibrated-pair", "same-device", "exact"])
@settings(max_examples=8, deadline=None)
@given(sizes=PARTS, before=st.integers(0, 3))
def test_neurons(dtype, estimator, sizes, before):
    z = pre_activations(sum(sizes), dtype)

    def make(rows: BatchRows):
        layer = make_layer(estimator, WIDTH, rows=rows)
        layer(pre_activations(before, dtype))  # events that the devices have had already
        return layer

    def read(layer: DeviceNeurons, part: slice):
        given = z[part].clone().requires_grad_()
        out = layer(given)
        out.sum().backward()
        return out.detach(), given.grad, layer.array.state_dict()

    whole = read(make(BatchRows()), slice(None))
    parts, meetings = together(sizes, make, read)
    assert torch.equal(torch.cat([out for out, _, _ in parts]), whole[0])
    assert torch.equal(torch.cat([slopes for _, slopes, _ in parts]), whole[1])
    assert all(state == whole[2] for _, _, state in parts)
    assert meetings == 0  # nothing was sent


def switches(rows: BatchRows, reset: float, dead: tuple[int, ...] = ()) -> SimulatedSwitchArray:
    population = draw("sot-mtj", 4, WIDTH, {"mismatch": 0.1}, "switches")
    return SimulatedSwitchArray(
        population, max_volts=2.0, reset_volts=reset, reset_seconds=WIDTH_SECONDS, dead=dead, rows=rows
    )


def pulses(batch: int) -> np.ndarray:
    """Around V50, of both signs, so that resets go both ways."""
    place = np.arange(batch * WIDTH).reshape(batch, WIDTH)
    return (0.9 + 0.2 * np.sin(place)) * np.where(np.cos(3.1 * place) > 0.8, -1.0, 1.0)


@pytest.fixture(params=["compiled", "elsewhere"])
def placed(request, monkeypatch):
    """NumPy arrays, or tensors as if no compiled loop could reach them."""
    if request.param == "compiled":
        return np.asarray
    monkeypatch.setattr(simulated_switches, "on_cpu", lambda values: isinstance(values, np.ndarray))
    return torch.from_numpy


@pytest.mark.parametrize("reset", [1.6, 0.9], ids=["sure resets", "resets that fail half the time"])
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sizes=PARTS, times=st.integers(1, 2))
def test_switches(placed, reset, sizes, times):
    volts = placed(pulses(times * sum(sizes)))

    def make(rows: BatchRows):
        return switches(rows, reset, dead=(3,))

    def attempt(array: SimulatedSwitchArray, part: slice):
        chosen = slice(None) if part == slice(None) else slice(times * part.start, times * part.stop)
        outcome = array.attempt(volts[chosen], WIDTH_SECONDS)
        return as_numpy(outcome.switched), as_numpy(outcome.flags), array.state_dict()

    whole = attempt(make(BatchRows()), slice(None))
    parts, meetings = together(sizes, make, attempt)
    assert np.array_equal(np.concatenate([switched for switched, _, _ in parts]), whole[0])
    assert np.array_equal(np.concatenate([flags for _, flags, _ in parts]), whole[1])
    assert all(state == whole[2] for _, _, state in parts)
    assert 1 <= meetings <= len(sizes)


def test_failed_resets_are_there_to_be_found():
    """The test above can fail: with these pulses resets do fail, and then parts are done again."""
    sizes = (5, 5, 5)

    def attempt(array: SimulatedSwitchArray, part: slice):
        array.attempt(pulses(15)[part], WIDTH_SECONDS)
        return array.events

    counts, meetings = together(sizes, lambda rows: switches(rows, 0.9), attempt)
    assert meetings > 1
    assert counts[0] < 2 * 15 * WIDTH


@pytest.mark.parametrize("memory", [None, Memory(1.0)], ids=["independent", "remembering"])
@pytest.mark.parametrize("adder", ["apc", "mux"])
@pytest.mark.parametrize(("encoding", "how"), [(BIPOLAR, "bits"), (UNIPOLAR, "bits"), (BIPOLAR, "moments")])
@settings(max_examples=5, deadline=None)
@given(sizes=st.lists(st.integers(1, 90), min_size=2, max_size=3))
def test_streams(memory, adder, encoding, how, sizes):
    x = torch.sin(torch.arange(sum(sizes) * 8, dtype=torch.float64)).reshape(-1, 8).abs()

    def make(rows: BatchRows):
        layer = StochasticLinear(
            8,
            5,
            Counting(encoding, adder, 40, memory=memory),
            SimulatedGenerators(1, "inputs", own=False, memory=memory),
            SimulatedGenerators(1, "weights", own=True, memory=memory),
            train_with=how,
            dtype=torch.float64,
            rows=rows,
        )
        with torch.no_grad():
            layer.weight.copy_(torch.cos(torch.arange(40.0)).view(5, 8))
        return layer

    def count(layer: StochasticLinear, part: slice):
        counted = [layer(x[part]).detach() for _ in range(2)]
        state = layer.get_extra_state()
        for counts in (state["inputs"], state["weights"]):
            for name in ("reads", "bits", "rows"):
                counts.pop(name)  # each counts its own; summed at an epoch's end
        return torch.stack(counted), state

    whole = count(make(BatchRows()), slice(None))
    parts, meetings = together(sizes, make, count)
    found = torch.cat([counted for counted, _ in parts], dim=1)
    # Sums of moments are matrix products: equal to rounding. Bits are counted: equal.
    torch.testing.assert_close(found, whole[0], rtol=0, atol=0 if how == "bits" else 1e-12)
    assert all(state == whole[1] for _, state in parts)
    assert meetings == 0


def test_rows_that_do_not_divide_by_the_samples_are_refused():
    rows = BatchRows()
    with rows.part(2, 4, 1), pytest.raises(UsageError, match="6 rows for a part of 4 samples"):
        rows.around(6)
    assert rows.around(6) == (0, 0)


def test_a_part_ends_with_its_block():
    rows = BatchRows()
    with rows.part(2, 4, 1):
        assert rows.around(8) == (4, 2)
        with rows.part(0, 3, 0):
            assert rows.around(3) == (0, 0)
        assert rows.around(4) == (2, 1)
    assert not rows.shared

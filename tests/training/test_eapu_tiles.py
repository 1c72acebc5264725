"""Matrices on grids of arrays: what a grid holds, writes and reads is what one large array would."""

from __future__ import annotations

import copy
import io

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from labtrain.arrays.simulated_synapses import SimulatedSynapseArray
from labtrain.errors import UsageError
from labtrain.populations import draw
from labtrain.training.eapu import EaPU
from labtrain.training.eapu.pairs import PairedSynapses
from labtrain.training.eapu.rules import Address, Writes
from labtrain.training.eapu.tiles import TiledSynapses, convert, read_back

UNIT = 80e-6
EXACT = {
    "write_noise": 0.0,
    "read_noise": 0.0,
    "read_flicker": 0.0,
    "relax_mean": 0.0,
    "relax_spread": 0.0,
    "cycle_spread": 0.0,
}


def lay(array):
    return PairedSynapses(array, siemens_per_unit=UNIT, low=4e-6, high=225e-6)


def opener(**settings):
    opened = []

    def open_array(name, shape):
        opened.append((name, shape))
        return SimulatedSynapseArray(draw("memristor", 1, shape[0] * shape[1], settings, name), shape)

    return open_array, opened


@given(
    outputs=st.integers(1, 9),
    inputs=st.integers(1, 9),
    rows=st.integers(1, 5),
    columns=st.integers(2, 9),
    chosen=st.integers(0, 2**32 - 1),
)
def test_a_grid_of_exact_cells_holds_and_changes_any_matrix(outputs, inputs, rows, columns, chosen):
    open_array, opened = opener(**EXACT)
    tiled = TiledSynapses.of("w", (outputs, inputs), open_array, lay, (rows, columns))
    assert all(shape[0] <= rows and shape[1] <= columns for _, shape in opened)
    assert sum(shape[0] * shape[1] for _, shape in opened) == 2 * outputs * inputs
    generator = torch.Generator().manual_seed(chosen)
    wanted = torch.rand(outputs, inputs, generator=generator, dtype=torch.float64) - 0.5
    weights = tiled.verify(wanted, 1e-9, 3).contiguous()
    torch.testing.assert_close(weights, wanted)
    change = torch.rand(outputs * inputs, generator=generator, dtype=torch.float64) - 0.5
    index = (torch.rand(outputs * inputs, generator=generator) < 0.5).nonzero().flatten()
    tiled.write(weights.view(-1), Writes(index, change[index]), Address(0, "w", 0))
    expected = wanted.view(-1).index_add(0, index, change[index]).view_as(wanted)
    torch.testing.assert_close(weights, expected)
    torch.testing.assert_close(tiled.read(), expected)


def small_network():
    torch.manual_seed(2)
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, 4, 4)),
        torch.nn.Conv2d(1, 3, 3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(12, 2),
    )


def test_a_network_is_put_on_arrays_and_read_back():
    model = small_network()
    before = copy.deepcopy(model)
    open_array, opened = opener(**EXACT)
    cells = convert(model, open_array, lay, tile=(8, 4), tolerance=1e-6)
    assert {name.split("/")[0] for name, _ in opened} == {"1", "4"}
    for one, other in zip(model.parameters(), before.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    with torch.no_grad():
        for weight in cells:
            weight.zero_()
    read_back(cells)
    pictures = torch.ones(2, 16)
    torch.testing.assert_close(model(pictures), before(pictures))


def test_cells_that_start_alike_do_not_make_equal_units():
    model = small_network()
    weight = model[4].weight.detach()
    weight.mul_(0.01)  # far below any fixed tolerance
    wanted = weight.clone()
    convert(model, opener(**EXACT, g_start=114.5e-6)[0], lay, tile=(8, 4))
    assert float((weight - wanted).abs().max()) < float(wanted.abs().max())
    assert len(set(weight.flatten().tolist())) > 12


def train(model, cells, steps, state=None):
    optimiser = EaPU(torch.optim.Adam(model.parameters(), lr=0.02), threshold=0.1, cells=cells, seed=4)
    if state is not None:
        saved = torch.load(io.BytesIO(state))
        optimiser.load_state_dict(saved["optimiser"])
        model.load_state_dict(saved["model"])
    pictures = torch.linspace(-1, 1, 32).view(2, 16)
    for _ in range(steps):
        optimiser.zero_grad()
        model(pictures).square().sum().backward()
        optimiser.step()
    buffer = io.BytesIO()
    torch.save({"optimiser": optimiser.state_dict(), "model": model.state_dict()}, buffer)
    return optimiser, buffer.getvalue()


def test_training_on_noisy_tiles_counts_its_writes_and_goes_on_bit_for_bit():
    def fresh():
        model = small_network()
        return model, convert(model, opener(mismatch=0.1, stuck=0.02)[0], lay, tile=(8, 4))

    whole, cells = fresh()
    placed = sum(one.written for one in cells.values())  # by write and verify
    optimiser, _ = train(whole, cells, 8)
    assert sum(one.written for one in cells.values()) - placed == optimiser.written > 0
    first, cells = fresh()
    _, state = train(first, cells, 3)
    second, cells = fresh()
    train(second, cells, 5, state)
    for one, other in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def test_what_cannot_be_is_refused():
    open_array, _ = opener()
    with pytest.raises(UsageError, match="no linear or convolutional layer"):
        convert(torch.nn.ReLU(), open_array, lay)
    with pytest.raises(UsageError, match="holds no weight"):
        convert(small_network(), open_array, lay, tile=(8, 1))
    tiles = [lay(open_array("a", (2, 4))), lay(open_array("b", (3, 4)))]
    with pytest.raises(UsageError, match="do not make a grid"):
        TiledSynapses([tiles])
    one = TiledSynapses([tiles[:1]])
    with pytest.raises(UsageError, match="tiles"):
        one.load_state_dict({"0,0": {}, "0,1": {}})

"""Weight matrices larger than an array, on a grid of them; networks put on arrays and read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, final

import torch

from labtrain.arrays.synapses import SynapseArray
from labtrain.errors import UsageError
from labtrain.training.eapu.cells import Cells
from labtrain.training.eapu.pairs import PairedSynapses
from labtrain.training.eapu.rules import Address, Writes

OpenArray = Callable[[str, tuple[int, int]], SynapseArray]
"""``open_array(name, (rows, columns))``: an array of that shape."""


class OnPairs(Protocol):
    """How a weight is laid on conductances: see :class:`PairedSynapses`."""

    def __call__(self, array: SynapseArray) -> PairedSynapses:
        """Lay weights on the pairs of an array."""


@final
class TiledSynapses(Cells):
    """A weight matrix ``[outputs, inputs]`` over a grid of arrays.

    Inputs are cut into blocks of rows, outputs into blocks of column pairs; the products of the blocks of one
    output are summed digitally.

    Parameters
    ----------
    grid
        ``grid[i][o]``: the tile of input block ``i`` and output block ``o``; tiles of a row share their
        inputs, tiles of a column their outputs.

    Raises
    ------
    UsageError
        For tiles that do not fit together.
    """

    def __init__(self, grid: Sequence[Sequence[PairedSynapses]]) -> None:
        self.grid = [list(row) for row in grid]
        rows = [row[0].inputs for row in self.grid]
        columns = [tile.outputs for tile in self.grid[0]]
        for row, inputs in zip(self.grid, rows, strict=True):
            if [(tile.inputs, tile.outputs) for tile in row] != [(inputs, outputs) for outputs in columns]:
                raise UsageError(
                    f"the tiles {[(tile.inputs, tile.outputs) for tile in row]} do not make a grid",
                    remedy=f"give tiles of {inputs} inputs and {columns} outputs in this row",
                )
        self.inputs, self.outputs = sum(rows), sum(columns)
        self._rows, self._columns = _blocks(rows), _blocks(columns)

    @classmethod
    def of(
        cls, name: str, shape: tuple[int, int], open_array: OpenArray, lay: OnPairs, tile: tuple[int, int]
    ) -> TiledSynapses:
        """Open the arrays for a matrix of ``shape`` = (outputs, inputs), each at most ``tile`` cells.

        Parameters
        ----------
        tile
            (rows, columns) of the largest array; columns in pairs.
        """
        outputs, inputs = shape
        rows, pairs = tile[0], tile[1] // 2
        if rows < 1 or pairs < 1:
            raise UsageError(
                f"an array of {tile[0]} x {tile[1]} cells holds no weight",
                remedy="give at least one row and two columns",
                key="tile",
            )
        return cls(
            [
                [
                    lay(
                        open_array(
                            f"{name}/{i // rows},{o // pairs}",
                            (min(rows, inputs - i), 2 * min(pairs, outputs - o)),
                        )
                    )
                    for o in range(0, outputs, pairs)
                ]
                for i in range(0, inputs, rows)
            ]
        )

    @property
    def tiles(self) -> list[PairedSynapses]:
        """All tiles, row by row."""
        return [tile for row in self.grid for tile in row]

    @property
    def written(self) -> int:  # type: ignore[override]  # counted by the tiles
        """Weights written."""
        return sum(tile.written for tile in self.tiles)

    @property
    def clipped(self) -> int:
        """Writes that came back flagged."""
        return sum(tile.clipped for tile in self.tiles)

    def read(self) -> torch.Tensor:
        """Read all cells; return the weights ``[outputs, inputs]`` (float64)."""
        return self._gather(lambda tile, part: tile.read(), torch.empty(self.outputs, self.inputs))

    def verify(self, weights: torch.Tensor, tolerance: float, rounds: int) -> torch.Tensor:
        """Bring the cells to ``weights``, tile by tile; see :meth:`PairedSynapses.verify`."""
        matrix = weights.detach().reshape(self.outputs, self.inputs)
        return self._gather(lambda tile, part: tile.verify(part, tolerance, rounds), matrix)

    def write(self, weights: torch.Tensor, writes: Writes, address: Address) -> None:
        """Write each tile's share of the changes; leave what was read of them in ``weights``."""
        matrix = weights.view(self.outputs, self.inputs)
        output, column = writes.index // self.inputs, writes.index % self.inputs
        for i, (top, bottom) in enumerate(self._rows):
            inside = (column >= top) & (column < bottom)
            for o, (left, right) in enumerate(self._columns):
                own = (inside & (output >= left) & (output < right)).nonzero().flatten()
                index = (output[own] - left) * (bottom - top) + column[own] - top
                part = matrix[left:right, top:bottom].contiguous()
                self.grid[i][o].write(part.view(-1), Writes(index, writes.change[own]), address)
                matrix[left:right, top:bottom] = part

    def state_dict(self) -> dict[str, Any]:
        """Of every tile, by its place in the grid."""
        return {
            f"{i},{o}": tile.state_dict() for i, row in enumerate(self.grid) for o, tile in enumerate(row)
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take them back.

        Raises
        ------
        UsageError
            For the state of another grid.
        """
        own = {f"{i},{o}": tile for i, row in enumerate(self.grid) for o, tile in enumerate(row)}
        if set(state) != set(own):
            raise UsageError(
                f"the state is of {len(state)} tiles, here are {len(own)}",
                remedy="convert with the same tile size as when it was saved",
                key="tile",
            )
        for place, tile in own.items():
            tile.load_state_dict(state[place])

    def _gather(
        self, ask: Callable[[PairedSynapses, torch.Tensor], torch.Tensor], matrix: torch.Tensor
    ) -> torch.Tensor:
        whole = torch.empty(self.outputs, self.inputs, dtype=torch.float64)
        for i, (top, bottom) in enumerate(self._rows):
            for o, (left, right) in enumerate(self._columns):
                part = matrix[left:right, top:bottom]
                whole[left:right, top:bottom] = ask(self.grid[i][o], part)
        return whole


LAYERS = (torch.nn.Linear, torch.nn.Conv1d, torch.nn.Conv2d, torch.nn.Conv3d)


def convert(
    model: torch.nn.Module,
    open_array: OpenArray,
    lay: OnPairs,
    *,
    tile: tuple[int, int] = (128, 128),
    tolerance: float | None = None,
    rounds: int = 8,
) -> dict[torch.Tensor, TiledSynapses]:
    """Put the weights of all linear and convolutional layers on arrays; biases and norms stay digital.

    A convolution's kernel of ``[out, in, ...]`` is the matrix ``[out, in x ...]``. The cells are brought to
    the model's weights by write and verify, and from then on the model computes with what was read of them.

    Parameters
    ----------
    open_array, lay
        Give arrays, named ``<layer>/<input block>,<output block>``, and lay weights on their pairs.
    tile
        (rows, columns) of the largest array.
    tolerance, rounds
        Of the verification, in units of the weights. Without a tolerance it is a quarter of a tensor's root
        mean square: cells that start alike and are left alone would make a network of equal units.

    Returns
    -------
    dict
        Weight -> its devices, for ``EaPU(..., cells=...)``; :func:`read_back` is the way back.

    Raises
    ------
    UsageError
        For a model without such layers.
    """
    cells: dict[torch.Tensor, TiledSynapses] = {}
    for name, layer in model.named_modules():
        if isinstance(layer, LAYERS):
            weight = layer.weight
            shape = (weight.shape[0], weight[0].numel())
            cells[weight] = TiledSynapses.of(name or "weight", shape, open_array, lay, tile)
            own = float(weight.detach().square().mean().sqrt()) / 4 if tolerance is None else tolerance
            _take(weight, cells[weight].verify(weight, own, rounds))
    if not cells:
        raise UsageError(
            f"{type(model).__name__} has no linear or convolutional layer",
            remedy="convert a model that has weights to put on devices",
        )
    return cells


def read_back(cells: Mapping[torch.Tensor, TiledSynapses]) -> None:
    """Read every cell again and leave the weights in the model, which needs no devices from then on."""
    for weight, devices in cells.items():
        _take(weight, devices.read())


def _take(weight: torch.Tensor, matrix: torch.Tensor) -> None:
    with torch.no_grad():
        weight.copy_(matrix.view(weight.shape))


def _blocks(sizes: Sequence[int]) -> list[tuple[int, int]]:
    edges = [0]
    for size in sizes:
        edges.append(edges[-1] + size)
    return list(zip(edges, edges[1:], strict=False))

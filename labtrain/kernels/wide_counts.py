"""Ones of XOR in vectors of 512 bits, written as such.

LLVM's own vectoriser keeps to 256 bits on processors that have a counting instruction of 512
(``vpopcntd``); there is one port for it, so half the width is half the speed. On processors without, LLVM
splits the vectors.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

LANES = 16
"""Words of 32 bits in a vector."""
_TILE = 4

_WORD, _INDEX = ir.IntType(32), ir.IntType(64)  # type: ignore[no-untyped-call]
_VECTOR = ir.VectorType(_WORD, LANES)  # type: ignore[no-untyped-call]


@intrinsic  # type: ignore[untyped-decorator]
def differing_four(context: Any, x: Any, w0: Any, w1: Any, w2: Any, w3: Any, vectors: Any) -> Any:
    """Return four counts: ones of ``x ^ w`` over the first ``16 vectors`` words of contiguous uint32 rows."""
    signature = types.UniTuple(types.int64, _TILE)(x, w0, w1, w2, w3, vectors)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        rows = [
            _vectors(context, builder, kind, row)
            for kind, row in zip(signature.args, arguments, strict=False)
        ]
        length = context.cast(builder, arguments[-1], signature.args[-1], types.int64)
        return _counted(context, builder, rows[:-1], length)

    return signature, generate


def _vectors(context: Any, builder: Any, kind: Any, row: Any) -> Any:
    """Return a row's data as a pointer to vectors."""
    if not isinstance(kind, types.Array):
        return None
    data = context.make_array(kind)(context, builder, row).data
    return builder.bitcast(data, _VECTOR.as_pointer())  # type: ignore[no-untyped-call]


def _counted(context: Any, builder: Any, rows: list[Any], length: Any) -> Any:
    ones = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(_VECTOR, [_VECTOR]),  # type: ignore[no-untyped-call]
        f"llvm.ctpop.v{LANES}i32",
    )
    total = cgutils.get_or_insert_function(
        builder.module,
        ir.FunctionType(_WORD, [_VECTOR]),  # type: ignore[no-untyped-call]
        f"llvm.vector.reduce.add.v{LANES}i32",
    )
    sums = [cgutils.alloca_once_value(builder, ir.Constant(_VECTOR, [0] * LANES)) for _ in range(_TILE)]  # type: ignore[no-untyped-call]
    with cgutils.for_range(builder, length) as loop:
        first = _load(builder, rows[0], loop.index)
        for sum_, row in zip(sums, rows[1:], strict=True):
            counted = builder.call(ones, [builder.xor(first, _load(builder, row, loop.index))])
            builder.store(builder.add(builder.load(sum_), counted), sum_)
    counts = [builder.zext(builder.call(total, [builder.load(sum_)]), _INDEX) for sum_ in sums]
    return context.make_tuple(builder, types.UniTuple(types.int64, _TILE), counts)


def _load(builder: Any, row: Any, index: Any) -> Any:
    """Load a vector; rows lie on words, not on vectors."""
    found = builder.load(builder.gep(row, [index]))
    found.align = 4
    return found

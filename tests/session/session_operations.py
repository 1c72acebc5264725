"""What a run may note, as data: applied to any sink, and as Hypothesis strategies."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from labtrain.session import Column, RowStream, Sink

COLUMNS = {
    "volts": Column("float64", "V", "Voltage"),
    "counts": Column("int64", "", "Counts"),
    "kept": Column("bool"),
    "level": Column("float32", "uA"),
    "device": Column("str"),
}
STREAM = "runs/0001_iv-curve/points"

plain_text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
payloads = st.binary(max_size=40)
statuses = st.sampled_from(["ok", "timeout", "lost", "error", None])
rows = st.fixed_dictionaries(
    {
        "volts": st.floats(),
        "counts": st.integers(-(2**63), 2**63 - 1),
        "kept": st.booleans(),
        "level": st.floats(width=32),
        "device": plain_text,
    }
)
plain_arrays = npst.arrays(
    st.one_of(
        npst.floating_dtypes(),
        npst.integer_dtypes(),
        npst.boolean_dtypes(),
        npst.complex_number_dtypes(sizes=(64, 128)),
    ),
    npst.array_shapes(min_dims=0, min_side=0, max_side=4),
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
operations = st.one_of(
    st.tuples(st.just("message"), st.sampled_from(["smu", "pulser"]), payloads, payloads, statuses),
    st.tuples(st.just("row"), rows),
    st.tuples(st.just("exchange"), st.sampled_from(["neurons", "switches"]), plain_arrays, plain_arrays),
    st.tuples(st.just("array"), st.sampled_from(["train/x/w", "train/x/b"]), plain_arrays),
    st.tuples(
        st.just("document"),
        st.sampled_from(["analysis/fit", "settings"]),
        st.dictionaries(st.text(max_size=5), json_values),
    ),
)


def open_stream(sink: Sink) -> RowStream:
    """The stream that rows go to."""
    return sink.stream(STREAM, COLUMNS, {"device": "neurons[0]", "points": 3})


def apply(sink: Sink, stream: RowStream, operation: tuple[Any, ...]) -> None:
    """Note one operation."""
    kind, *rest = operation
    if kind == "message":
        port, command, reply, status = rest
        seq = sink.command(port, command, 5)
        if status is not None:
            sink.reply(port, seq, reply, status, 9)
    elif kind == "row":
        stream.append(rest[0])
    elif kind == "exchange":
        array, amperes, volts = rest
        flags = np.zeros(volts.shape, np.uint8)
        sink.exchange(array, "respond", {"amperes": amperes}, {"volts": volts, "flags": flags})
    elif kind == "array":
        sink.array(rest[0], rest[1], "V")
    else:
        sink.document(rest[0], rest[1])


def small_run(sink: Sink) -> None:
    """A little of everything, always the same."""
    stream = open_stream(sink)
    for i in range(6):
        apply(sink, stream, ("message", "smu", b":SOUR:VOLT %d\n" % i, b"", None))
        apply(sink, stream, ("message", "smu", b"READ? %d\n" % i, b"+1.0E-0%d\n" % i, "ok"))
        apply(
            sink,
            stream,
            ("row", {"volts": 0.1 * i, "counts": i, "kept": True, "level": 0.5, "device": f"d{i}"}),
        )
        apply(sink, stream, ("exchange", "neurons", np.full((2, 3), 0.1 * i), np.full((2, 3), 1.0 * i)))
    apply(sink, stream, ("array", "train/x/w", np.arange(6.0).reshape(2, 3)))
    apply(sink, stream, ("document", "analysis/fit", {"v50": 0.31, "points": [1, 2, 3]}))


def same(a: Any, b: Any) -> bool:
    """Equal bit for bit: NaN payloads, signed zeros, dtypes and shapes; byte order aside."""
    a, b = (np.asarray(x).astype(np.asarray(x).dtype.newbyteorder("<")) for x in (a, b))
    if a.dtype == object or b.dtype.kind == "U":
        return a.tolist() == b.tolist()
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()

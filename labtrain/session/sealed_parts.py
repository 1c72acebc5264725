"""The parts of layout v1: documents, messages, row streams, exchanges and arrays."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from labtrain.session.array_form import ExchangeForm, NamedArray
from labtrain.session.contents import Contents, StreamRecord
from labtrain.session.frames import BENCH_CLOCK, SESSION_CLOCK, STATUSES, Kind
from labtrain.session.layout import Proof, SealedWriter
from labtrain.session.names import document_path
from labtrain.session.transactions import COLUMNS, index_messages

_MESSAGES = "instruments/transactions"
_CLOCKS = (
    ("session/clock", SESSION_CLOCK, "UTC and the session's clock, which times exchanges"),
    ("session/bench_clock", BENCH_CLOCK, "UTC and the bench's clock, which times messages"),
)


@dataclass
class Index:
    """Where everything stands, so that a reader need not walk the file."""

    counts: dict[str, int] = field(default_factory=dict)
    ports: list[str] = field(default_factory=list)
    streams: dict[str, Any] = field(default_factory=dict)
    exchanges: dict[str, list[Any]] = field(default_factory=dict)
    arrays: dict[str, list[Any]] = field(default_factory=dict)
    documents: dict[str, list[Any]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the index as plain data."""
        return dict(vars(self))


def write_parts(contents: Contents, writer: SealedWriter) -> Index:
    """Write everything but the root's attributes; return where it stands."""
    index = Index()
    _write_session(contents, writer)
    _write_documents(contents, writer, index)
    _write_messages(contents, writer, index)
    for stream in contents.streams:
        _write_stream(contents, stream, writer, index)
    for number, (form, indices) in enumerate(contents.forms, start=1):
        _write_exchanges(
            contents, form, indices, f"exchanges/{form.array}/{number:04d}_{form.verb}", writer, index
        )
    _write_arrays(contents, writer, index)
    index.counts = _counts(contents)
    _point_viewers(contents, writer)
    return index


def _counts(contents: Contents) -> dict[str, int]:
    kinds = {
        "messages": Kind.COMMAND,
        "exchanges": Kind.EXCHANGE,
        "rows": Kind.ROW,
        "arrays": Kind.ARRAY,
        "documents": Kind.DOCUMENT,
    }
    return {name: len(contents.scan.of(kind)) for name, kind in kinds.items()} | {
        "records": len(contents.scan.headers)
    }


def _write_session(contents: Contents, writer: SealedWriter) -> None:
    head = contents.head
    writer.group("session", NX_class="NXcollection")
    writer.text("session/start", json.dumps(head["start"]))
    writer.text("session/provenance", json.dumps(head["provenance"]))
    writer.text("session/stop", json.dumps(contents.stop))
    for config in contents.scan.payloads(contents.scan.of(Kind.CONFIG)):
        writer.dataset("session/config", np.frombuffer(config, np.uint8), long_name="the bench file's bytes")
    for name, clock, what in _CLOCKS:
        pairs = contents.clock_pairs(clock)
        writer.dataset(name, pairs, columns="utc_ns, mono_ns", units="ns", long_name=what)
    writer.group("session", zone=str(head["zone"]), utc_offset_seconds=head["utc_offset_seconds"])
    notes = contents.texts(Kind.NOTE)
    writer.texts("session/notes/text", [text for _, text in notes])
    writer.dataset("session/notes/seq", np.array([seq for seq, _ in notes], dtype=np.int64))


def _versions(name_of: dict[int, str]) -> dict[str, list[int]]:
    versions = defaultdict(list)
    for seq, name in name_of.items():
        versions[name].append(seq)
    return versions


def _paths(path: str, seqs: list[int]) -> list[str]:
    """Name the newest ``path`` and earlier ones ``path@seq``."""
    return [*(f"{path}@{seq}" for seq in seqs[:-1]), path]


def _write_documents(contents: Contents, writer: SealedWriter, index: Index) -> None:
    documents = {}
    for seq, record in contents.texts(Kind.DOCUMENT):
        head, text = record.split("\0", 1)
        documents[seq] = (json.loads(head)["name"], text)
    for name, seqs in _versions({seq: name for seq, (name, _) in documents.items()}).items():
        index.documents[name] = []
        for seq, path in zip(seqs, _paths(document_path(name), seqs), strict=True):
            writer.text(path, documents[seq][1], seq=seq)
            index.documents[name].append({"path": path, "seq": seq})
        _describe_instrument(name, json.loads(documents[seqs[-1]][1]), writer)


def _describe_instrument(name: str, content: dict[str, Any], writer: SealedWriter) -> None:
    """Show what a document ``instruments/<alias>`` says as attributes of that instrument's group."""
    if name.count("/") == 1 and name.startswith("instruments/"):
        plain = {key: value for key, value in content.items() if isinstance(value, str | int | float)}
        writer.group(name, NX_class="NXcollection", **plain)


def _write_messages(contents: Contents, writer: SealedWriter, index: Index) -> None:
    index.ports = list(contents.ports.values())
    places = {number: place for place, number in enumerate(contents.ports)}
    columns, blob = index_messages(contents.scan, places)
    writer.group(_MESSAGES, NX_class="NXcollection")
    writer.texts(f"{_MESSAGES}/ports", index.ports)
    writer.texts(f"{_MESSAGES}/statuses", STATUSES)
    for name, column in columns.items():
        units: dict[str, Any] = {"units": "ns"} if name.endswith("_ns") else {}
        writer.dataset(f"{_MESSAGES}/index/{name}", column, long_name=COLUMNS[name], **units)
    writer.dataset(f"{_MESSAGES}/blob", blob)


def _write_stream(contents: Contents, stream: StreamRecord, writer: SealedWriter, index: Index) -> None:
    if stream.form.has_texts:
        columns = stream.form.unpack(contents.scan.payloads(stream.rows))
    else:
        columns = stream.form.unpack_fixed(contents.scan.joined(stream.rows))
    for name, values in columns.items():
        column = stream.form.columns[name]
        labels: dict[str, Any] = {"units": column.unit, "long_name": column.long_name or name}
        write = writer.texts if column.dtype == "str" else writer.dataset
        write(f"{stream.name}/{name}", values, **labels)
    writer.group(stream.name, **_plot(stream), **_shown(stream.attributes))
    headers = contents.scan.headers[stream.rows]
    span = {"first_seq": int(headers["seq"][0]), "last_seq": int(headers["seq"][-1])} if len(headers) else {}
    writer.group(stream.name, **span)
    index.streams[stream.name] = {
        "columns": {n: [c.dtype, c.unit, c.long_name] for n, c in stream.form.columns.items()},
        "attributes": stream.attributes,
    }


def _plot(stream: StreamRecord) -> dict[str, Any]:
    """NXdata: the second numeric column against the first, or what the stream's attributes name."""
    numeric = [n for n, c in stream.form.columns.items() if c.dtype not in ("str", "bool")]
    axis = stream.attributes.get("axes", numeric[0] if numeric else None)
    others = [name for name in numeric if name != axis]
    signal = stream.attributes.get("signal", others[0] if others else axis)
    if signal not in numeric or axis not in numeric:
        return {"NX_class": "NXcollection"}
    return {"NX_class": "NXdata", "signal": signal, "axes": [axis]}


def _shown(attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes that HDF5 viewers can show; all of them are in the index."""
    own = {"signal", "axes", "NX_class", "first_seq", "last_seq"}
    return {k: v for k, v in attributes.items() if k not in own and k and isinstance(v, str | int | float)}


def _write_exchanges(
    contents: Contents, form: ExchangeForm, indices: Any, path: str, writer: SealedWriter, index: Index
) -> None:
    headers = contents.scan.headers[indices]
    writer.group(path, NX_class="NXcollection", verb=form.verb)
    writer.dataset(f"{path}/seq", headers["seq"].astype(np.int64))
    writer.dataset(f"{path}/t_ns", headers["t_ns"].astype(np.int64), units="ns")
    arrays = form.unpack(contents.scan.payloads(indices)) if len(indices) else []
    described = []
    for part, (data, shapes) in zip(form.parts, arrays, strict=bool(len(indices))):
        writer.dataset(f"{path}/{part.side}/{part.name}", data)
        if shapes is not None:
            writer.dataset(f"{path}/shapes/{part.side}/{part.name}", shapes)
        described.append([part.side, part.name, shapes is not None])
    index.exchanges.setdefault(form.array, []).append({"path": path, "verb": form.verb, "parts": described})


def _write_arrays(contents: Contents, writer: SealedWriter, index: Index) -> None:
    scan = contents.scan
    records = {int(scan.headers["seq"][i]): int(i) for i in scan.of(Kind.ARRAY)}
    arrays = {seq: NamedArray.unpack(scan.payload(record)) for seq, record in records.items()}
    for name, versions in _versions({seq: array.name for seq, array in arrays.items()}).items():
        index.arrays[name] = []
        for seq, path in zip(versions, _paths(name, versions), strict=True):
            array = arrays[seq]
            checksum, header = scan.proof(records[seq])
            proof = Proof(checksum, header + array.head)
            writer.dataset(path, array.value, proof, units=array.unit, seq=seq)
            index.arrays[name].append({"path": path, "seq": seq, "unit": array.unit})


def _point_viewers(contents: Contents, writer: SealedWriter) -> None:
    """NeXus defaults, so that a viewer opens on the first stream that plots."""
    plottable = [stream.name for stream in contents.streams if "signal" in _plot(stream) and len(stream.rows)]
    for name in reversed(plottable):
        parts = ["/", *name.split("/")]
        for depth, part in enumerate(parts[1:]):
            above = "/".join(parts[1 : depth + 1]) or "/"
            kind = {} if depth == 0 else {"NX_class": "NXentry" if depth == 1 else "NXsubentry"}
            writer.group(above, default=part, **kind)

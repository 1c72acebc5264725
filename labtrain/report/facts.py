"""Who, what, when, with what: the head and the foot of the page, from the record's own documents."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from labtrain.report.sections import Section, Table

if TYPE_CHECKING:
    from labtrain.session import Recording


def headline(recording: Recording) -> list[tuple[str, str]]:
    """Return the facts of the page's head: label and text."""
    start, bench = recording.start, _bench(recording)
    steps = [str(step.get("name", step.get("kind"))) for step in start.get("steps", [])]
    sample = ", ".join(f"{key} {value}" for key, value in bench.get("sample", {}).items())
    facts = [
        ("Session", recording.path.name),
        ("Command", "labtrain " + " ".join(map(str, start.get("argv") or [start.get("command", "")]))),
        ("Steps", ", ".join(steps)),
        ("Recorded", recording.created_utc.replace("T", " ").split(".")[0].removesuffix("Z") + " UTC"),
        ("Status", recording.status + (", recovered after a crash" if recording.recovered else "")),
        ("Resumes", str((start.get("resumes") or {}).get("session", ""))),
        ("Sample", sample),
        ("Bench", str(start.get("bench") or "")),
        ("Environment", _environment(bench)),
        ("Seeds", f"run {start.get('seed', '—')}, chip {bench.get('seed', '—')}"),
        ("Record", ", ".join(f"{count:,} {name}" for name, count in recording.counts.items())),
    ]
    facts += [("Note", note) for note in recording.notes]
    return [(label, text) for label, text in facts if text]


def instruments(recording: Recording) -> Section | None:
    """List the instruments with what they answered to ``*IDN?``."""
    planned = _bench(recording).get("instruments", {})
    said = _identities(recording)
    rows = []
    for alias in dict.fromkeys([*planned, *said]):
        entry = planned.get(alias, {})
        resource = str(entry.get("resource", "simulated" if alias in planned else ""))
        rows.append((alias, str(entry.get("model", "")), resource, said.get(alias, "")))
    if not rows:
        return None
    tables = [Table(("name", "model", "address", "identity (*IDN?)"), rows)]
    settings = _settings(recording)
    if settings:
        heads = ("instrument", "setting", "at start", "at end")
        tables.append(
            Table(heads, settings, caption="How every instrument said that it was set", folded=True)
        )
    return Section("Instruments", tables=tables)


def _settings(recording: Recording) -> list[tuple[str, ...]]:
    """Return instrument, setting, and what it said at both ends of the run; a run cut short has no end."""
    ends: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name in recording.document_names():
        if name.startswith("settings/"):
            _, alias, moment = name.split("/")
            ends.setdefault(alias, {})[moment] = recording.document(name)
    return [
        (
            alias,
            setting.replace("_", " "),
            *(str(found.get(end, {}).get(setting, "—")) for end in ("start", "end")),
        )
        for alias, found in ends.items()
        for setting in dict.fromkeys(key for said in found.values() for key in said)
    ]


def provenance(recording: Recording) -> Section:
    """Say which code on which machine made the record."""
    p = recording.provenance
    git = p.get("git") or {}
    commit = str(git.get("commit") or "not from a git checkout")
    if git.get("dirty"):
        commit += ", with uncommitted changes (the diff is in the record)"
    packages = p.get("packages") or {}
    shown = ("numpy", "scipy", "torch", "pymeasure", "pyvisa", "h5py", "numba", "lmfit", "scikit-learn")
    rows = [
        ("labtrain", f"{p.get('labtrain', '')} ({commit})"),
        ("Python", str(p.get("python", "")).split(" (")[0]),
        ("packages", ", ".join(f"{name} {packages[name]}" for name in shown if name in packages)),
        ("machine", ", ".join(str(p[key]) for key in ("host", "platform", "user") if p.get(key))),
        ("session id", recording.uuid),
        ("journal digest", recording.journal_digest),
        ("schema", recording.schema_version),
    ]
    return Section("Provenance", tables=[Table(("", ""), [(k, v) for k, v in rows if v])])


def _bench(recording: Recording) -> dict[str, Any]:
    content = recording.bench_file
    if content is None:
        return {}
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return {}


def _environment(bench: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {entry.get('value', '')} ({entry.get('source', '')})"
        for name, entry in bench.get("environment", {}).items()
        if isinstance(entry, Mapping)
    )


def _identities(recording: Recording) -> dict[str, str]:
    """Return alias -> identity from the document that the bench notes when it opens."""
    found: dict[str, str] = {}
    for name in recording.document_names():
        if name == "instruments":
            for alias, entry in recording.document(name).items():
                found[alias] = str(entry.get("idn", "") if isinstance(entry, Mapping) else entry)
        elif name.startswith("instruments/"):
            found[name.removeprefix("instruments/")] = str(recording.document(name).get("idn", ""))
    return found

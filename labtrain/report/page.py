"""One self-contained HTML page, redrawn from a recording alone."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from labtrain.errors import RecordError
from labtrain.report.contact import contact_section
from labtrain.report.current_voltage import current_voltage_section
from labtrain.report.facts import headline, instruments, provenance
from labtrain.report.fits import fits_section
from labtrain.report.learning import learning_section
from labtrain.report.runs import Run, protocol_runs
from labtrain.report.sections import Section
from labtrain.report.style import sober
from labtrain.report.switching import switching_section

if TYPE_CHECKING:
    from labtrain.session import Recording

_DRAWN = {
    "contact-check": contact_section,
    "iv-curve": current_voltage_section,
    "switching-probability": switching_section,
}

_DRAWN_MODELS = (None, "nano-neuron", "logistic")
"""What those sections draw; several pulse widths make a switching curve a surface."""


def write_report(recording: Recording, out: Path) -> Path:
    """Write the report of a session.

    Parameters
    ----------
    recording
        An open recording; nothing else is read.
    out
        The page; an existing one is replaced, atomically.

    Returns
    -------
    Path
        ``out``. The page fetches nothing from outside: figures are inside it.

    Raises
    ------
    RecordError
        When the page cannot be written; one that stands there stays.
    """
    html = render(recording)
    temporary = out.with_name(out.name + ".part")
    try:
        temporary.write_text(html, encoding="utf-8")
        os.replace(temporary, out)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        why = error.strerror or error
        raise RecordError(
            f"the page cannot be written: {why}", file=out, remedy="choose another --out"
        ) from error
    return out


def render(recording: Recording) -> str:
    """Return the page's text."""
    with sober():
        sections = [section for section in _sections(recording) if section is not None]
    template = jinja2.Environment(
        loader=jinja2.PackageLoader("labtrain.report", "."),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html.j2")
    return template.render(
        title=_title(recording), status=recording.status, facts=headline(recording), sections=sections
    )


def _title(recording: Recording) -> str:
    return f"labtrain {recording.start.get('command', 'session')}: {recording.path.stem}"


def _sections(recording: Recording) -> list[Section | None]:
    runs = [_run_section(run) for run in protocol_runs(recording)]
    recipes = dict.fromkeys(
        name.split("/")[1] for name in recording.stream_names() if name.startswith("train/")
    )
    training = [learning_section(recording, recipe) for recipe in recipes]
    return [instruments(recording), *runs, *training, provenance(recording)]


def _run_section(run: Run) -> Section:
    """Draw a known protocol; of any other say what it recorded."""
    hint = run.rows.attributes.get("fit") or {}
    draw = _DRAWN.get(run.protocol)
    if draw is not None and hint.get("model") in _DRAWN_MODELS:
        return draw(run)
    if hint:
        return fits_section(run)
    columns = ", ".join(run.rows.columns)
    return Section(run.protocol, f"{len(run.rows):,} rows of {columns}. Settings: {run.settings}.")

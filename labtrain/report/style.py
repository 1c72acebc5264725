"""How figures look: sober, legible in print, drawn without a display and the same every time."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib
from matplotlib.figure import Figure

BLUE, ORANGE, GREEN, RED, PURPLE, GREY = "#2b5c8a", "#c8702a", "#3d7f5f", "#a63d40", "#6d5a8d", "#8a8f98"
CYCLE = (BLUE, ORANGE, GREEN, PURPLE, RED, GREY)

_STYLE: Any = {
    "font.family": "DejaVu Sans",
    "font.size": 9,
    "axes.titlesize": 9.5,
    "axes.labelsize": 9,
    "axes.edgecolor": "#5b616b",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e4e7eb",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "xtick.color": "#3d434c",
    "ytick.color": "#3d434c",
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "lines.linewidth": 1.4,
    "svg.hashsalt": "labtrain",
    "svg.fonttype": "path",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawn figure: an image's ``data:`` address, what it shows, and its caption."""

    source: str
    alt: str
    caption: str


@contextmanager
def sober() -> Iterator[None]:
    """Apply the report's style for the length of the block."""
    with matplotlib.rc_context(_STYLE):
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches; 7.6 is the page's width."""
    return Figure(figsize=(width, height), layout="constrained")


def picture(figure: Figure, alt: str, caption: str = "") -> Picture:
    """Turn a figure into an SVG inside the page."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    code = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Picture(f"data:image/svg+xml;base64,{code}", alt, caption)


def colour(index: int) -> str:
    """Return the cycle's colour for the index-th series."""
    return CYCLE[index % len(CYCLE)]


def empty(axes: Any, text: str) -> None:
    """Say in the middle of an axes why it is empty."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=GREY, fontsize=8.5)

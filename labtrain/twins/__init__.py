"""Twins: what is believed about devices, fitted from recorded measurements only.

Names are loaded when they are asked for: a bench without twins needs neither lmfit nor SciPy's statistics.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

# At once: a function that is called as its file cannot be loaded later.
from labtrain.twins.column_map import ColumnMap, ColumnUse, column_map, read_column_map

if TYPE_CHECKING:
    from labtrain.twins.fit import Estimate, Fit, Points
    from labtrain.twins.fitting import fit_rows
    from labtrain.twins.models import MODELS, usual_model
    from labtrain.twins.nano_neuron import fit_nano_neuron
    from labtrain.twins.resistance import fit_resistance
    from labtrain.twins.sources import fit_files, fit_recording
    from labtrain.twins.spread import PopulationSpread, Spread, population_spreads
    from labtrain.twins.switching import counts_of, fit_switching
    from labtrain.twins.twin_file import DeviceTwin, Twin

_HOMES = {
    "DeviceTwin": "twin_file",
    "Estimate": "fit",
    "Fit": "fit",
    "MODELS": "models",
    "Points": "fit",
    "PopulationSpread": "spread",
    "Spread": "spread",
    "Twin": "twin_file",
    "counts_of": "switching",
    "fit_files": "sources",
    "fit_nano_neuron": "nano_neuron",
    "fit_recording": "sources",
    "fit_resistance": "resistance",
    "fit_rows": "fitting",
    "fit_switching": "switching",
    "population_spreads": "spread",
    "usual_model": "models",
}

__all__ = [
    "MODELS",
    "ColumnMap",
    "ColumnUse",
    "DeviceTwin",
    "Estimate",
    "Fit",
    "Points",
    "PopulationSpread",
    "Spread",
    "Twin",
    "column_map",
    "counts_of",
    "fit_files",
    "fit_nano_neuron",
    "fit_recording",
    "fit_resistance",
    "fit_rows",
    "fit_switching",
    "population_spreads",
    "read_column_map",
    "usual_model",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)

"""Twins: what is believed about devices, fitted from recorded measurements only."""

from labtrain.twins.column_map import ColumnMap, ColumnUse, column_map, read_column_map
from labtrain.twins.fit import Estimate, Fit, Points
from labtrain.twins.fitting import fit_rows
from labtrain.twins.models import MODELS, usual_model
from labtrain.twins.nano_neuron import fit_nano_neuron
from labtrain.twins.resistance import fit_resistance
from labtrain.twins.sources import fit_files, fit_recording
from labtrain.twins.spread import PopulationSpread, Spread, population_spreads
from labtrain.twins.switching import counts_of, fit_switching
from labtrain.twins.twin_file import DeviceTwin, Twin

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

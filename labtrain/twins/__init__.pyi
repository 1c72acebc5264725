from .column_map import (
    ColumnMap as ColumnMap,
    ColumnUse as ColumnUse,
    column_map as column_map,
    read_column_map as read_column_map,
)
from .fit import Estimate as Estimate, Fit as Fit, Points as Points
from .fitting import fit_rows as fit_rows
from .models import MODELS as MODELS, usual_model as usual_model
from .nano_neuron import fit_nano_neuron as fit_nano_neuron
from .resistance import fit_resistance as fit_resistance
from .sources import fit_files as fit_files, fit_recording as fit_recording
from .spread import (
    PopulationSpread as PopulationSpread,
    Spread as Spread,
    population_spreads as population_spreads,
)
from .switching import counts_of as counts_of, fit_switching as fit_switching
from .twin_file import DeviceTwin as DeviceTwin, Twin as Twin

"""p-GAF-BP: backpropagation whose derivatives are sampled from SOT-MTJs, and whose closed gates save work.

Equations: sampling the derivative of a logistic activation; see docs/methods-pgaf.md.
"""

from labtrain.training.pgaf.calibration import calibrate
from labtrain.training.pgaf.converting import convert, convert_back, convert_branched, neurons_of
from labtrain.training.pgaf.convolutions import CountedConv2d, CountedLinear
from labtrain.training.pgaf.costs import EnergyTable, energy_table
from labtrain.training.pgaf.counting import CountedLayer, GradientMacs
from labtrain.training.pgaf.gates import ACTIVATIONS, GATES, Activation, Gate
from labtrain.training.pgaf.layers import FirstLinear, GatedActivation, GatedLinear
from labtrain.training.pgaf.ledger import gated_ledger
from labtrain.training.pgaf.sampler import SwitchCurve, SwitchSampler

__all__ = [
    "ACTIVATIONS",
    "GATES",
    "Activation",
    "CountedConv2d",
    "CountedLayer",
    "CountedLinear",
    "EnergyTable",
    "FirstLinear",
    "Gate",
    "GatedActivation",
    "GatedLinear",
    "GradientMacs",
    "SwitchCurve",
    "SwitchSampler",
    "calibrate",
    "convert",
    "convert_back",
    "convert_branched",
    "energy_table",
    "gated_ledger",
    "neurons_of",
]

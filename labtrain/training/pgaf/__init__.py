"""p-GAF-BP: backpropagation whose derivatives are sampled from SOT-MTJs, and whose closed gates save work.

Equations: sampling the derivative of a logistic activation; see docs/methods-pgaf.md.
"""

from labtrain.training.pgaf.converting import convert, convert_back
from labtrain.training.pgaf.gates import ACTIVATIONS, GATES, Activation, Gate
from labtrain.training.pgaf.layers import FirstLinear, GatedLinear, GradientMacs
from labtrain.training.pgaf.sampler import SwitchCurve, SwitchSampler

__all__ = [
    "ACTIVATIONS",
    "GATES",
    "Activation",
    "FirstLinear",
    "Gate",
    "GatedLinear",
    "GradientMacs",
    "SwitchCurve",
    "SwitchSampler",
    "convert",
    "convert_back",
]

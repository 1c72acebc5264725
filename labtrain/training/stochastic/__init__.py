"""Quantised stochastic-computing networks on bit streams of superparamagnetic MTJs.

Nanotechnology 36(27), 2025, doi 10.1088/1361-6528/ade243; see docs/methods-sc.md.
"""

from labtrain.training.stochastic.encodings import ADDERS, BIPOLAR, ENCODINGS, UNIPOLAR, Encoding
from labtrain.training.stochastic.generators import (
    DeviceGenerators,
    Generators,
    SimulatedGenerators,
    StreamCurve,
)
from labtrain.training.stochastic.layers import StochasticLinear
from labtrain.training.stochastic.memory import Memory, inflation
from labtrain.training.stochastic.moments import Counting, variance
from labtrain.training.stochastic.network import Design, stochastic_perceptron, take_weights
from labtrain.training.stochastic.quantiser import quantise

__all__ = [
    "ADDERS",
    "BIPOLAR",
    "ENCODINGS",
    "UNIPOLAR",
    "Counting",
    "Design",
    "DeviceGenerators",
    "Encoding",
    "Generators",
    "Memory",
    "SimulatedGenerators",
    "StochasticLinear",
    "StreamCurve",
    "inflation",
    "quantise",
    "stochastic_perceptron",
    "take_weights",
    "variance",
]

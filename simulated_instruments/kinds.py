"""Device models that the world can wire, by the name that bench files use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from simulated_instruments.devices import Circumstances, Device, Diode, Neurons, Resistor, SotMtj
from simulated_instruments.junctions import SttMtj, SuperparamagneticMtj
from simulated_instruments.memristor import Memristor

DEVICE_KINDS: Final[Mapping[str, Callable[[Circumstances, tuple[str, ...]], Device]]] = {
    "mtj-neuron": Neurons,
    "mtj-neuron-pair": Neurons,
    "sot-mtj": SotMtj,
    "stt-mtj": SttMtj,
    "s-mtj": SuperparamagneticMtj,
    "memristor": Memristor,
    "resistor": Resistor,
    "open": Resistor,
    "short": Resistor,
    "diode": Diode,
}

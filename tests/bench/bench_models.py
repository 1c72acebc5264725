"""One bench for every instrument model that stands: the same chip behind other instruments."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec

from labtrain import entry_points
from labtrain.bench.nodes import node_name
from labtrain.roles.spec import DriverSpec

CHIP = """\
seed = 7

[instruments.smu]
model = "{meter}"

[instruments.pulser]
model = "{generator}"
output_load = "50 ohm"

[instruments.matrix]
model = "{matrix}"
bandwidth = "10 MHz"

[arrays.neurons]
kind = "mtj-neuron-pair"
count = 2
expected_resistance = ["1 kohm", "20 kohm"]
limits = {{ voltage = "0.5 V", current = "60 uA", power = "30 uW" }}
terminals = {{ top = "matrix.{row},{{2i+{c0}}}", top_pair = "matrix.{row},{{2i+{c1}}}" }}

[devices.sot]
kind = "sot-mtj"

[devices.sot.terminals.line]
to = "pulser.1"
expected_resistance = ["600 ohm", "950 ohm"]
[devices.sot.terminals.line.limits]
voltage = "1.3 V"
current = "2.1 mA"
power = "2.8 mW"
pulse_energy = "60 pJ"
total_pulses = "500"

[devices.sot.terminals.top]
to = "matrix.{row},{c4}"
expected_resistance = ["1 kohm", "20 kohm"]
limits = {{ voltage = "0.3 V", current = "60 uA", step = "0.2 V" }}

[devices.reference]
kind = "resistor"
resistance = "10 kohm"
expected_resistance = ["9 kohm", "11 kohm"]
limits = {{ voltage = "1 V", current = "100 uA", power = "100 uW" }}
terminals = {{ top = "matrix.{row},{c5}" }}

[wires."{hi}"]
to = "matrix.row{row}"
resistance = "0.5 ohm"
"""


def models(role: str) -> list[str]:
    """Names of the drivers of one role that have a virtual instrument."""
    virtual = {one.name: one.module for one in metadata.entry_points(group=entry_points.VIRTUAL_INSTRUMENTS)}
    drivers = {one.name: one.module for one in metadata.entry_points(group=entry_points.DRIVERS)}
    both = [name for name in sorted(drivers) if name in virtual]
    standing = [name for name in both if find_spec(drivers[name]) and find_spec(virtual[name])]
    return [name for name in standing if spec(name).role == role]


def spec(name: str) -> DriverSpec:
    return entry_points.load(entry_points.DRIVERS, name)


def combinations() -> list[tuple[str, str, str]]:
    """Meters, generators and matrices in as few benches as show each model once."""
    kinds = [models(role) for role in ("source-meter", "pulse-generator", "switch-matrix")]
    return [tuple(kind[i % len(kind)] for kind in kinds) for i in range(max(map(len, kinds)))]


def bench_text(meter: str, generator: str, matrix: str) -> str:
    row, first = spec(matrix).rows.start + 1, spec(matrix).columns.start
    columns = {f"c{k}": first + k for k in range(6)}
    hi = node_name("smu", spec(meter).channels[0], "hi")
    return CHIP.format(meter=meter, generator=generator, matrix=matrix, row=row, hi=hi, **columns)

"""The bench file as typed tables; every key that a bench file may have stands here.

Keys of an instrument or a device model that belong to that model alone are kept
as extras and checked in :mod:`labtrain.bench.planning` against what the driver or
the device model declares.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from labtrain.bench.quantities import (
    Amperes,
    Count,
    Fraction,
    Gain,
    Hertz,
    Joules,
    Ohms,
    OhmsRange,
    Seconds,
    Siemens,
    Volts,
    VoltsPerSecond,
    Watts,
    refuse,
)

# Keys that a table must have are empty here and asked for in planning, so that one missing key
# hides no other problem.


class Table(BaseModel):
    """A table whose unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class OpenTable(BaseModel):
    """A table whose further keys belong to a driver or a device model."""

    model_config = ConfigDict(extra="allow", frozen=True)

    def own(self) -> dict[str, Any]:
        """Return the keys that this schema does not know."""
        return dict(self.__pydantic_extra__ or {})


class InstrumentTable(OpenTable):
    """``[instruments.NAME]``."""

    model: str = ""
    resource: str | None = None
    bandwidth: Hertz | None = None
    timeout: Seconds = 2.0


class LimitsTable(Table):
    """``limits``: what a terminal may see."""

    voltage: Volts | None = None
    current: Amperes | None = None
    power: Watts | None = None
    pulse_energy: Joules | None = None
    pulse_width: Seconds | None = None
    step: Volts | None = None
    slew: VoltsPerSecond | None = None
    duty: Fraction | None = None
    total_pulses: Count | None = None


class TerminalTable(Table):
    """``terminals.NAME``: where a terminal is connected, and what it alone may see."""

    to: str = ""
    sense: str = ""
    sense_return: str = ""
    limits: LimitsTable | None = None
    expected_resistance: OhmsRange | None = None


def _terminal(value: Any) -> Any:
    return {"to": value} if isinstance(value, str) else value


class ReadingTable(Table):
    """``reading``: how the array's devices are read by a source meter."""

    nplc: Annotated[float, Field(ge=0.0005, le=25)] = 0.1
    max_current: Amperes | None = None
    voltage: Volts = 0.05


class WritingTable(Table):
    """``writing``: how the array's devices are pulsed by training.

    ``voltage`` is the reset pulse of switches and the programming pulse of synapses.
    """

    voltage: Volts | None = None
    width: Seconds = 10e-9
    attempts: Annotated[int, Field(ge=1, le=1000)] = 3
    step: Siemens | None = None
    columns: Annotated[int, Field(ge=1)] | None = None


class DeviceTable(OpenTable):
    """``[devices.NAME]``.

    ``kind`` is a device model or the file of a twin or a table; ``twins`` chooses devices of a twin.
    """

    kind: str = ""
    twins: list[str] = Field(default_factory=list)
    limits: LimitsTable | None = None
    expected_resistance: OhmsRange | None = None
    contact_resistance: Ohms | None = None
    terminals: dict[str, Annotated[TerminalTable, BeforeValidator(_terminal)]] = Field(default_factory=dict)
    reading: ReadingTable = Field(default_factory=ReadingTable)
    writing: WritingTable = Field(default_factory=WritingTable)


class ArrayTable(DeviceTable):
    """``[arrays.NAME]``: ``count`` like devices."""

    count: Annotated[int, Field(ge=1, le=1_000_000)] | None = None


class WireTable(Table):
    """``[wires."NODE"]``: a permanent connection."""

    to: str = ""
    resistance: Ohms = 0.0
    attenuation: Gain = 1.0
    bandwidth: Hertz = float("inf")


class SampleTable(Table):
    """``[sample]``: what is under the probes."""

    wafer: str = ""
    die: str = ""
    id: str = ""
    geometry: str = ""
    pads: str = ""
    stack: str = ""
    note: str = ""


class EnvironmentEntry(Table):
    """One entry of ``[environment]``: a value stated by hand, or the property of a sensor."""

    value: str | None = None
    source: Literal["manual"] = "manual"
    instrument: str | None = None
    property: str | None = None
    interval: Seconds = 60.0


class EnvironmentTable(Table):
    """``[environment]``: what surrounds the sample."""

    field: EnvironmentEntry | None = None
    temperature: EnvironmentEntry | None = None


class InstrumentFault(Table):
    """One scripted fault of a simulated instrument."""

    kind: Literal["timeout", "garbage", "cut", "late", "drop", "power-cycle"]
    at: int | None = None
    every: int | None = None


class FaultsTable(Table):
    """``[faults]``: what is wrong with the simulated bench."""

    dead: list[str] = Field(default_factory=list)
    stuck: list[str] = Field(default_factory=list)
    drifting: dict[str, float] = Field(default_factory=dict)
    instruments: dict[str, list[InstrumentFault]] = Field(default_factory=dict)


class HazardsTable(Table):
    """``[hazards]``: what the bench allows itself; the defaults are the careful ones."""

    contact_current: Amperes = 1e-6
    contact_check: bool = True
    safe_state: Literal["open", "grounded"] = "open"
    forbidden: list[str] = Field(default_factory=list)
    auto_range: bool = False
    raw: bool = False


def _seed(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**64:
        raise refuse(f"{value!r} is not a seed", "write a whole number from 0 to 2**64 - 1")
    return value


class BenchTable(Table):
    """The whole file."""

    include: list[str] = Field(default_factory=list)
    seed: Annotated[int, BeforeValidator(_seed)] = 0
    mount: Literal["in-process", "tcp", "serial"] = "in-process"
    instruments: dict[str, InstrumentTable] = Field(default_factory=dict)
    wires: dict[str, WireTable] = Field(default_factory=dict)
    arrays: dict[str, ArrayTable] = Field(default_factory=dict)
    devices: dict[str, DeviceTable] = Field(default_factory=dict)
    sample: SampleTable = Field(default_factory=SampleTable)
    environment: EnvironmentTable = Field(default_factory=EnvironmentTable)
    faults: FaultsTable = Field(default_factory=FaultsTable)
    hazards: HazardsTable = Field(default_factory=HazardsTable)
    files: dict[str, str] = Field(default_factory=dict)
    """Texts of the files that this one names, as a session's record keeps them."""

"""One channel of a Keithley 2602B as the objects ``smua`` or ``smub`` of a script."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from simulated_instruments.keithley2600b_constants import CONSTANTS
from simulated_instruments.keithley2600b_readings import (
    LIMITED_STATUS,
    as_buffers,
    readings_once,
    store_once,
)
from simulated_instruments.keithley2600b_trigger import TriggerModel
from simulated_instruments.smu_accuracy import Quantity
from simulated_instruments.smu_channel import LIMITED, SmuChannel
from simulated_instruments.smu_settings import Sense, Source
from simulated_instruments.smu_specifications import KEITHLEY_2602B
from simulated_instruments.tsp_buffers import TspBuffer
from simulated_instruments.tsp_errors import runtime, too_big
from simulated_instruments.tsp_library import flag
from simulated_instruments.tsp_values import Attribute, TspObject, bounded, chosen, remembered
from simulated_instruments.world import World

SETTLE_SECONDS: Final = 100e-6
POINT_OVERHEAD_SECONDS: Final = 80e-6
"""With settling and aperture 4500 to 5000 source-measure points a second into a buffer at 0.001 PLC.

SPEC-2602B Rev. B, page 8, has 5500 with external triggers and 12 000 without. Settling as on its page 5:
50 us on the 1 V range, 100 us on the 1 mA range; on smaller current ranges (20 ms at 100 nA) the real one is
slower.
"""

OFF_SHARE: Final = 0.1
OFF_AMPERES: Final = 1e-3
"""``source.offlimiti``, the limit of the normal output-off state."""

_OFF_MODES: Final = {0.0: "NORM", 1.0: "ZERO", 2.0: "HIMP"}
_LETTER: Final[Mapping[Quantity, str]] = {"VOLT": "v", "CURR": "i"}
_LEVELS: Final[Mapping[Quantity, float]] = {"VOLT": 40.4, "CURR": 3.03}
_LEAST_LIMIT: Final[Mapping[Quantity, float]] = {"VOLT": 10e-3, "CURR": 10e-9}
_FUNCTIONS: Final[Mapping[float, Quantity]] = {0.0: "CURR", 1.0: "VOLT"}


class Smu:
    """One channel.

    Parameters
    ----------
    name
        ``"a"`` or ``"b"``.
    node
        Its electrical name: ``"smu.a"``.
    """

    def __init__(
        self, name: str, node: str, world: World, seed: int, ideal: bool, cycle_seconds: float
    ) -> None:
        self.channel = SmuChannel(
            world,
            node,
            KEITHLEY_2602B,
            seed,
            ideal,
            overhead_seconds=POINT_OVERHEAD_SECONDS,
            cycle_seconds=cycle_seconds,
            off_share=OFF_SHARE,
        )
        self.name = f"smu{name}"
        self.buffers = [TspBuffer(f"{self.name}.nvbuffer{k}") for k in (1, 2)]
        self.trigger = TriggerModel(self)
        self._count = 1
        self._interval = 0.0
        self._delays = {"source": 0.0, "measure": 0.0}
        self._words: dict[str, float] = {}
        self.table = self._object()
        self.reset()

    def reset(self) -> None:
        """Bring the defaults back: 0 V, output off; the buffers lose their readings."""
        self.channel.set_defaults(
            {"VOLT": Source(1.0, 0.1), "CURR": Source(40.0, 100e-9)},
            {"VOLT": Sense(0.1), "CURR": Sense(100e-9)},
            settle=SETTLE_SECONDS,
            off_state="NORM",
        )
        self.channel.off_amperes = OFF_AMPERES
        self.channel.apply()
        self._count, self._interval = 1, 0.0
        self._delays = {"source": 0.0, "measure": 0.0}
        self._words.clear()
        self.trigger.reset()
        for buffer in self.buffers:
            buffer.clear()
            buffer.append_mode = False

    def condition(self) -> float:
        """Return ``status.measurement.instrument.smuX.condition``."""
        return LIMITED_STATUS[self.channel.function] if self.channel.limited() else 0.0

    # --- objects ---------------------------------------------------------------------------

    def _object(self) -> TspObject:
        members: dict[str, Any] = {
            "source": self._source(),
            "measure": self._measure(),
            "trigger": self.trigger.table,
            "sense": Attribute(lambda: float(self.channel.senses["VOLT"].remote), self._set_remote),
            "reset": lambda arguments: _done(self.reset()),
            "abort": lambda arguments: _done(self.channel.stop()),
            "makebuffer": self._make_buffer,
            "nvbuffer1": self.buffers[0],
            "nvbuffer2": self.buffers[1],
        }
        return TspObject(self.name, {**members, **CONSTANTS})

    def _source(self) -> TspObject:
        channel = self.channel
        members: dict[str, Any] = {
            "func": Attribute(lambda: float(channel.function == "VOLT"), self._set_function),
            "output": Attribute(lambda: float(channel.output), self._set_output),
            "compliance": Attribute(channel.limited),
            "delay": self._delay("source"),
            "offmode": Attribute(
                lambda: {word: number for number, word in _OFF_MODES.items()}[channel.off_state],
                self._set_off_mode,
            ),
            "offlimiti": Attribute(lambda: channel.off_amperes, self._set_off_limit),
            "highc": remembered(self._words, "highc", 0.0, 0.0, 1.0),
            "settling": remembered(self._words, "settling", 0.0, 0.0, 128.0),
            "sink": remembered(self._words, "sink", 0.0, 0.0, 1.0),
            "lowrangei": remembered(self._words, "source.lowrangei", 100e-9, 1e-9, 3.0),
            "lowrangev": remembered(self._words, "source.lowrangev", 0.1, 0.1, 40.0),
            "offfunc": remembered(self._words, "offfunc", 1.0, 1.0, 1.0),
            "outputenableaction": remembered(self._words, "outputenableaction", 0.0, 0.0, 0.0),
        }
        for quantity, letter in _LETTER.items():
            members[f"level{letter}"] = self._level(quantity)
            members[f"limit{letter}"] = self._limit(quantity)
            members[f"range{letter}"] = self._source_range(quantity)
            members[f"autorange{letter}"] = self._source_auto(quantity)
        return TspObject(f"{self.name}.source", members)

    def _set_function(self, value: Any) -> None:
        self.channel.set_function(chosen(value, _FUNCTIONS, "source.func"))

    def _set_output(self, value: Any) -> None:
        state = chosen(value, {0.0: "off", 1.0: "on", 2.0: "high-z"}, "source.output")
        if state == "high-z":
            self.channel.off_state = "HIMP"
        self.channel.set_output(state == "on")

    def _set_off_mode(self, value: Any) -> None:
        self.channel.off_state = chosen(value, _OFF_MODES, "source.offmode")
        self.channel.apply()

    def _set_off_limit(self, value: Any) -> None:
        self.channel.off_amperes = bounded(value, 1e-8, 3.0, "source.offlimiti")
        self.channel.apply()

    def _set_remote(self, value: Any) -> None:
        for sense in self.channel.senses.values():
            sense.remote = flag(value)
        self.channel.apply()

    def _level(self, quantity: Quantity) -> Attribute:
        def put(value: Any) -> None:
            most = _LEVELS[quantity]
            level = bounded(value, -most, most, f"source.level{_LETTER[quantity]}")
            if not self.channel.fits(quantity, level):
                raise too_big(f"{level:g} on the {self.channel.sources[quantity].range:g} range")
            self.channel.set_level(quantity, level)

        return Attribute(lambda: self.channel.sources[quantity].level, put)

    def _limit(self, quantity: Quantity) -> Attribute:
        """``limiti`` belongs to the voltage source, ``limitv`` to the current source."""
        of = LIMITED[quantity]

        def put(value: Any) -> None:
            limit = bounded(value, _LEAST_LIMIT[quantity], _LEVELS[quantity], f"limit{_LETTER[quantity]}")
            self.channel.sources[of].limit = limit
            self.channel.apply()

        return Attribute(lambda: self.channel.sources[of].limit, put)

    def _source_range(self, quantity: Quantity) -> Attribute:
        def put(value: Any) -> None:
            most = _LEVELS[quantity]
            self.channel.set_source_range(quantity, bounded(value, -most, most, "source range"))

        return Attribute(lambda: self.channel.sources[quantity].range, put)

    def _source_auto(self, quantity: Quantity) -> Attribute:
        return Attribute(
            lambda: float(self.channel.sources[quantity].auto),
            lambda value: self.channel.set_source_auto(quantity, flag(value)),
        )

    # --- measuring -------------------------------------------------------------------------

    def _measure(self) -> TspObject:
        members: dict[str, Any] = {
            "nplc": Attribute(lambda: self.channel.senses["CURR"].nplc, self._set_nplc),
            "count": Attribute(lambda: float(self._count), self._set_count),
            "interval": Attribute(lambda: self._interval, self._set_interval),
            "delay": self._delay("measure"),
            "autozero": remembered(self._words, "autozero", 2.0, 0.0, 2.0),
            "lowrangei": remembered(self._words, "lowrangei", 100e-9, 1e-9, 3.0),
            "lowrangev": remembered(self._words, "lowrangev", 0.1, 0.1, 40.0),
            "delayfactor": remembered(self._words, "delayfactor", 1.0, 0.0, 1e3),
            "highcrangedelayfactor": remembered(self._words, "highcrangedelayfactor", 10.0, 1.0, 99.0),
            "analogfilter": remembered(self._words, "analogfilter", 1.0, 0.0, 1.0),
        }
        members["filter"] = self._noted("filter", enable=1.0, type=2.0, count=100.0)
        members["rel"] = self._noted("rel", enablev=1.0, enablei=1.0)
        for quantity, letter in _LETTER.items():
            members[f"range{letter}"] = self._sense_range(quantity)
            members[f"autorange{letter}"] = self._sense_auto(quantity)
        for name in ("v", "i", "r", "p", "iv"):
            members[name] = self._measurement(name)
            members[f"overlapped{name}"] = self._overlapped(name)
        return TspObject(f"{self.name}.measure", members)

    def _noted(self, name: str, **largest: float) -> TspObject:
        """Make settings that are kept and answered only: readings are neither filtered nor relative."""
        path = f"{self.name}.measure.{name}"
        members = {
            key: remembered(self._words, f"{path}.{key}", 0.0, 0.0, high) for key, high in largest.items()
        }
        return TspObject(path, members)

    def _set_nplc(self, value: Any) -> None:
        for sense in self.channel.senses.values():
            sense.nplc = bounded(value, 0.001, 25.0, "measure.nplc")

    def _set_count(self, value: Any) -> None:
        self._count = round(bounded(value, 1.0, 60_000.0, "measure.count"))

    def _set_interval(self, value: Any) -> None:
        self._interval = bounded(value, 0.0, 1.0, "measure.interval")

    def _delay(self, name: str) -> Attribute:
        def put(value: Any) -> None:
            self._delays[name] = bounded(value, -1.0, 3600.0, f"{name}.delay")
            self.channel.delay = sum(max(seconds, 0.0) for seconds in self._delays.values())

        return Attribute(lambda: self._delays[name], put)

    def _sense_range(self, quantity: Quantity) -> Attribute:
        def put(value: Any) -> None:
            most = _LEVELS[quantity]
            self.channel.set_sense_range(quantity, bounded(value, -most, most, "measure range"))

        return Attribute(lambda: self.channel.senses[quantity].range, put)

    def _sense_auto(self, quantity: Quantity) -> Attribute:
        def put(value: Any) -> None:
            self.channel.senses[quantity].auto = flag(value)
            self.channel.apply()

        return Attribute(lambda: float(self.channel.senses[quantity].auto), put)

    def _measurement(self, name: str) -> Callable[[list[Any]], list[Any]]:
        """Make ``measure.i(buffer)``; ``iv`` returns both, and takes a buffer for each."""

        def measure(arguments: list[Any]) -> list[Any]:
            buffers = as_buffers(arguments, len(name))
            for buffer in buffers:
                buffer.begin()
            for k in range(self._count):
                began = self.channel.world.now_ns()
                point = self.channel.measure()
                values = readings_once(name, point)
                store_once(buffers, values, point)
                if k + 1 < self._count:
                    spent = (self.channel.world.now_ns() - began) * 1e-9
                    self.channel.world.wait(self._interval - spent)
            return values

        return measure

    def _overlapped(self, name: str) -> Callable[[list[Any]], list[Any]]:
        """Make ``measure.overlappedi(buffer)``; here it is over when the next command comes."""
        measure = self._measurement(name)

        def begin(arguments: list[Any]) -> list[Any]:
            if not arguments:
                raise runtime(f"measure.overlapped{name} takes a reading buffer")
            measure(arguments)
            return []

        return begin

    def _make_buffer(self, arguments: list[Any]) -> list[Any]:
        size = bounded(arguments[0] if arguments else None, 1.0, 1e6, "makebuffer")
        return [TspBuffer(f"{self.name}.buffer", round(size))]


def _done(result: None) -> list[Any]:
    return []

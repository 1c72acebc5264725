"""PyMeasure's classes as their users use them: what is set, to which values, what is read, what is called."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

SOCKET = {"visa_library": "@py", "read_termination": "\n", "write_termination": "\n", "timeout": 20_000}
Values = tuple[Any, ...]


@dataclass(frozen=True)
class Face:
    """One class of PyMeasure, or one of its channels.

    Attributes
    ----------
    module, name, model
        Where the class is, and what it talks to.
    part
        Attribute of the channel; empty for the instrument itself.
    prepare
        Raw messages before each property is tried.
    settable
        Property -> values that are set and must be read back.
    readable
        Properties that are only read; what they need is in ``ready``.
    ready
        Raw messages before they are read.
    calls
        Methods, by name, with what they are called with.
    needing
        Those of them that need what is in ``ready``.
    left_out
        Name -> why it is not tried.
    """

    module: str
    name: str
    model: str
    part: str = ""
    prepare: tuple[str, ...] = ()
    settable: dict[str, Values] = field(default_factory=dict)
    readable: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()
    calls: dict[str, Values] = field(default_factory=dict)
    needing: tuple[str, ...] = ()
    left_out: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}.{self.part}" if self.part else self.name

    def open(self, resource: str) -> tuple[Any, Any]:
        """Connect; the instrument, and the part that is tried."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # some classes warn about themselves
            instrument = getattr(import_module(f"pymeasure.instruments.{self.module}"), self.name)(
                resource, **SOCKET
            )
        return instrument, getattr(instrument, self.part) if self.part else instrument


_WHAT = ("current", "resistance", "voltage")
_STATISTICS = tuple(f"{which}_{what}" for which in ("mean", "max", "min", "std") for what in _WHAT)
_SOURCE_CALLS: dict[str, Values] = {
    "apply_current": (1e-4, 1.0),
    "apply_voltage": (2, 1e-3),
    "auto_range_source": (),
    "measure_current": (0.1, 1e-4),
    "measure_voltage": (0.1, 2.0),
}
_KEITHLEY_CALLS = _SOURCE_CALLS | {
    "beep": (500, 0.1),
    "triad": (500, 0.1),
    "enable_source": (),
    "disable_source": (),
    "measure_resistance": (0.1, 1e4),
    "ramp_to_current": (1e-5, 3, 0.0),
    "ramp_to_voltage": (0.1, 3, 0.0),
    "use_front_terminals": (),
    "use_rear_terminals": (),
    "stop_buffer": (),
    "is_buffer_full": (),
}
_BUFFER_2400 = "its buffer speaks SCPI 2400, which a 2450 in its own command set answers with -113"
_MEMORY = "waveform memory is not simulated"
_ARBITRARY = {"arb_advance": _MEMORY, "arb_file": _MEMORY, "arb_filter": _MEMORY, "arb_srate": _MEMORY}
_ARBITRARY |= {"data_arb": _MEMORY, "data_volatile_clear": _MEMORY}
_PULSES: dict[str, Values] = {
    "shape": ("SIN", "SQU", "RAMP", "PULS", "NOIS", "DC"),
    "frequency": (1e3, 2e3),
    "amplitude": (0.2, 1.5),
    "amplitude_unit": ("VPP", "VRMS", "DBM"),
    "offset": (0.1, -0.25),
    "voltage_high": (0.3, 0.75),
    "voltage_low": (-0.3, -0.6),
    "square_dutycycle": (30.0, 75.0),
    "ramp_symmetry": (0.0, 40.0),
    "pulse_period": (2e-4, 2e-3),
    "pulse_hold": ("DCYC", "WIDT"),
    "pulse_width": (1e-6, 5e-5),
    "pulse_dutycycle": (10.0, 35.0),
    "pulse_transition": (1e-8, 2e-7),
    "phase": (90.0, -45.0),
    "output": (True, False),
    "output_load": (50, 1000),
    "burst_state": (True, False),
    "burst_mode": ("GAT", "TRIG"),
    "burst_period": (0.01, 0.5),
    "burst_ncycles": (3, 100),
}

K2400 = Face(
    "keithley", "Keithley2400", "2400",
    settable={
        "arm_count": (2, 5), "arm_input_line": (2, 4), "arm_output_event": ("trigger_enter", "none"),
        "arm_output_line": (3, 1), "arm_timer": (0.01, 1.5), "auto_output_off_enabled": (True, False),
        "auto_zero_enabled": (False, True), "buffer_points": (20, 200), "compliance_current": (1e-3, 5e-5),
        "compliance_voltage": (2.0, 0.5), "current_nplc": (0.1, 10.0),
        "current_range_auto_enabled": (False, True), "display_enabled": (False, True),
        "filter_count": (5, 100), "filter_enabled": (True, False),
        "front_terminals_enabled": (False, True), "line_frequency": (60, 50),
        "line_frequency_auto_enabled": (False, True), "repeat_filter_enabled": (False, True),
        "resistance_mode_auto_enabled": (False, True), "resistance_nplc": (0.1, 10.0),
        "resistance_range": (2100.0, 21e3), "resistance_range_auto_enabled": (False, True),
        "source_current": (1e-5, -2e-5), "source_current_range": (1e-3, 1e-2),
        "source_current_range_auto_enabled": (False, True), "source_delay": (0.01, 2.5),
        "source_delay_auto_enabled": (False, True), "source_enabled": (True, False),
        "source_mode": ("current", "voltage"), "source_voltage": (0.5, -0.25),
        "source_voltage_range": (2.0, 20.0), "source_voltage_range_auto_enabled": (False, True),
        "trigger_count": (3, 50), "trigger_delay": (0.01, 2.0), "trigger_input_line": (2, 4),
        "trigger_output_event": ("sense", "none"), "trigger_output_line": (3, 1),
        "voltage_nplc": (0.1, 10.0), "voltage_range_auto_enabled": (False, True), "wires": (4, 2),
        "current_range": (1e-4, 1e-5), "voltage_range": (20.0, 2.0),
        "trigger_source": ("trigger_link", "immediate"),
        "arm_source": ("bus", "immediate"), "output_off_state": ("disconnected", "normal"),
    },
    readable=("current", "voltage", "resistance", "means", "maximums", "minimums", "standard_devs",
              "buffer_data", "error", *_STATISTICS),
    ready=(":SENS:FUNC:ALL", ":SENS:RES:MODE MAN", ":TRAC:POIN 5;FEED SENS;FEED:CONT NEXT", ":TRIG:COUN 5",
           ":OUTP ON", ":INIT", "*OPC"),
    calls=_KEITHLEY_CALLS | {
        "auto_zero_once": (), "clear_trigger": (), "disable_output_trigger": (),
        "disable_output_triggers": (),
        "output_trigger_on_external": (1, "DEL"), "reset_data_format": (), "reset_trigger": (),
        "sample_continuously": (), "set_timed_arm": (0.5,), "set_trigger_counts": (2, 10),
        "trigger_immediately": (), "trigger_on_bus": (), "trigger_on_external": (2,),
        "config_buffer": (10, 0),
        "reset_buffer": (), "disable_buffer": (), "measure_all": (),
    },
    needing=("measure_all",),
    left_out={
        "auto_output_off": "an old name that warns", "auto_zero": "an old name that warns",
        "filter_state": "an old name that warns", "filter_type": "an old name that warns",
        "line_frequency_auto": "an old name that warns", "source_delay_auto": "an old name that warns",
        "trigger": "*TRG needs an armed trigger model", "start_buffer": "filled in a test of its own",
        "wait_for_buffer": "filled in a test of its own",
    },
)  # fmt: skip

K2450 = Face(
    "keithley", "Keithley2450", "2450",
    settable={
        "buffer_points": (20, 100_000), "compliance_current": (1e-3, 5e-5), "compliance_voltage": (2.0, 0.5),
        "current_filter_count": (5, 100),
        "current_filter_type": ("MOV", "REP"), "current_nplc": (0.1, 10.0), "voltage_filter_count": (5, 100),
        "voltage_filter_type": ("MOV", "REP"), "voltage_nplc": (0.1, 10.0), "resistance_nplc": (0.1, 10.0),
        "current_range": (1e-4, 1e-5), "voltage_range": (2.0, 20.0), "resistance_range": (2e3, 2e5),
        "source_current": (1e-5, -2e-5), "source_voltage": (0.5, -0.25), "source_current_range": (1e-3, 1e-2),
        "source_voltage_range": (2.0, 20.0), "source_current_delay": (0.01, 2.5),
        "source_voltage_delay": (0.01, 2.5), "source_current_delay_auto": (False, True),
        "source_voltage_delay_auto": (False, True), "source_mode": ("current", "voltage"), "wires": (4, 2),
        "current_output_off_state": ("HIMP", "NORM"), "voltage_output_off_state": ("ZERO", "NORM"),
    },
    readable=("current", "voltage", "resistance", "means", "maximums", "minimums", "standard_devs", "error",
              "source_enabled"),
    ready=(":OUTP ON", ":READ?"),
    calls=_KEITHLEY_CALLS | {"trigger": ()},
    left_out=dict.fromkeys(
        ("buffer_data", "config_buffer", "start_buffer", "reset_buffer", "disable_buffer", "wait_for_buffer"),
        _BUFFER_2400,
    ) | {"current_filter_state": "what it sets as ON it reads as 1.0"}
    | dict.fromkeys(_STATISTICS, "they index a list of three means; a 2450's buffer has one"),
)  # fmt: skip

K2600 = Face(
    "keithley", "Keithley2600", "2602B", "ChB",
    settable={
        "compliance_current": (1e-3, 0.05), "compliance_voltage": (2.0, 0.5), "current_range": (1e-3, 1e-4),
        "voltage_range": (1.0, 6.0), "source_current": (1e-4, -2e-4), "source_current_range": (1e-3, 1e-2),
        "source_mode": ("current", "voltage"), "source_output": ("ON", "OFF"),
        "source_voltage": (0.05, -0.025), "source_voltage_range": (1.0, 6.0), "wires_mode": ("4", "2"),
    },
    readable=("current", "voltage", "resistance"),
    ready=("smub.source.output = 1", "smub.source.levelv = 0.05"),
    calls={name: _SOURCE_CALLS[name] for name in ("auto_range_source",)} | {
        "apply_current": (1e-3, 1.0), "apply_voltage": (1, 1e-3), "ramp_to_current": (1e-3, 3, 0.0),
        "ramp_to_voltage": (0.1, 3, 0.0),
    },
    left_out={
        "measure_nplc": "raises in PyMeasure 0.16 before it sends",
        "measure_current": "configures by a measurement, whose reading it throws away",
        "measure_voltage": "as measure_current",
    },
)  # fmt: skip

K33500 = Face(
    "agilent", "Agilent33500", "33522B",
    prepare=("FUNC PULS",),
    settable=_PULSES | {"ext_trig_out": (True, False), "trigger_source": ("BUS", "EXT", "IMM")},
    calls={"beep": (), "clear_display": (), "phase_sync": ()},
    left_out=_ARBITRARY | {
        "display": "only set: tried among the third parties", "trigger": "tried among the third parties",
        "wait_for_trigger": "tried among the third parties",
    },
)  # fmt: skip
K33500_CHANNEL = Face(
    "agilent",
    "Agilent33500",
    "33522B",
    "ch_2",
    prepare=("SOUR2:FUNC PULS",),
    settable=_PULSES,
    left_out=_ARBITRARY,
)
_81160A = _PULSES | {"shape": ("SIN", "SQU", "RAMP", "PULS", "NOIS", "DC"), "burst_state": (False,)}
K81160A_CHANNEL = Face(
    "keysight", "Keysight81160A", "81160A", "ch_2",
    prepare=(":FUNC2 PULS", ":PULS:PER2 1e-3"),
    settable={name: values for name, values in _81160A.items() if name not in ("pulse_hold", "phase")} | {
        "coupling_enabled": (True, False), "limit_high": (1.5, 2.5), "limit_low": (-1.5, -2.5),
        "limit_state_enabled": (True, False), "trigger_count": (3, 1), "trigger_mode": ("EXT", "MAN", "IMM"),
    },
    calls={
        "apply_dc": (0.2,), "apply_noise": (0.2, 0.1), "apply_pulse": (1e5, 0.2, 0.1),
        "apply_sin": (1e5, 0.2, 0.1), "apply_square": (1e5, 0.2, 0.1),
    },
    left_out=_ARBITRARY | dict.fromkeys(
        ("waveform_volatile", "waveforms", "free_memory_slots", "delete_waveform", "save_waveform",
         "apply_user_waveform"), _MEMORY,
    ) | {
        "pulse_hold": "tried on the 33522B: there WIDT and DCYC, here the same",
        "phase": "it sends SOUR2:PHAS, where this instrument has PHAS2",
    },
)  # fmt: skip
K2700 = Face(
    "keithley", "Keithley2700", "2700",
    settable={
        "closed_channels": ([101, 110], [101, 110, 148]), "display_text": ("HELLO",),
        "text_enabled": (True, False),
    },
    readable=("error",),
    calls={
        "beep": (500, 0.1), "triad": (500, 0.1), "determine_valid_channels": (), "open_all_channels": (),
        "display_closed_channels": (), "close_rows_to_columns": ([1], [2], 1),
        "open_rows_to_columns": ([1], [2], 1), "channels_from_rows_columns": ([1], [2], 1),
        "get_state_of_channels": ([101, 102],), "stop_buffer": (), "is_buffer_full": (),
    },
    left_out={"open_channels": "only set: tried among the third parties"} | dict.fromkeys(
        ("buffer_data", "buffer_points", "config_buffer", "start_buffer", "reset_buffer", "disable_buffer",
         "wait_for_buffer"), "the multimeter's buffer is not simulated",
    ),
)  # fmt: skip

FACES = (K2400, K2450, K2600, K33500, K33500_CHANNEL, K81160A_CHANNEL, K2700)


def public(part: Any) -> set[str]:
    """Names that a class has beyond those of every PyMeasure instrument and channel."""
    from pymeasure.instruments import Channel, Instrument

    common = set(dir(Instrument)) | set(dir(Channel))
    found: Callable[[str], Any] = lambda name: getattr(type(part), name)  # noqa: E731
    return {
        name
        for name in dir(type(part))
        if not name.startswith("_")
        and name not in common
        and (isinstance(found(name), property) or callable(found(name)))
    }

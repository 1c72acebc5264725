"""The panel of TSP instruments, which changes nothing here: display, beeper, queues that stay empty."""

from __future__ import annotations

from typing import Any, Final

from simulated_instruments.tsp_values import TspObject, remembered

_SCREENS: Final = {"SMUA": 0.0, "SMUB": 1.0, "SMUA_SMUB": 2.0, "USER": 3.0}
_MEASURED: Final = {"MEASURE_DCAMPS": 0.0, "MEASURE_DCVOLTS": 1.0, "MEASURE_OHMS": 2.0, "MEASURE_WATTS": 3.0}
_DIGITS: Final = {"DIGITS_4_5": 4.0, "DIGITS_5_5": 5.0, "DIGITS_6_5": 6.0}


def panel() -> dict[str, Any]:
    """Return ``display``, ``beeper``, ``dataqueue`` and ``eventlog``."""
    return {
        "display": _display(),
        "beeper": TspObject(
            "beeper",
            {
                "beep": _ignore,
                "enable": remembered({}, "beeper.enable", 0.0, 0.0, 1.0),
                "OFF": 0.0,
                "ON": 1.0,
            },
        ),
        "dataqueue": TspObject("dataqueue", {"clear": _ignore, "count": 0.0, "CAPACITY": 128.0}),
        "eventlog": TspObject("eventlog", {"clear": _ignore, "count": 0.0}),
    }


def _display() -> TspObject:
    words: dict[str, float] = {}
    channels = {}
    for name in ("smua", "smub"):
        func = remembered(words, f"{name}.measure.func", 0.0, 0.0, 3.0)
        channels[name] = TspObject(
            f"display.{name}",
            {
                "measure": TspObject(f"display.{name}.measure", {"func": func}),
                "digits": remembered(words, f"{name}.digits", 5.0, 4.0, 6.0),
            },
        )
    ignored = dict.fromkeys(("clear", "settext", "setcursor", "sendkey"), _ignore)
    screen = remembered(words, "display.screen", 2.0, 0.0, 3.0)
    return TspObject("display", {**ignored, "screen": screen, **channels, **_SCREENS, **_MEASURED, **_DIGITS})


def _ignore(arguments: list[Any]) -> list[Any]:
    return []

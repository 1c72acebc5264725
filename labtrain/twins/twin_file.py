"""A twin on disk: TOML with every device's model, parameters, uncertainties and where they hold."""

from __future__ import annotations

import json
import math
import os
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labtrain.errors import DataError, UsageError
from labtrain.twins.fit import Estimate, Fit, Verdict
from labtrain.twins.spread import METHOD, PopulationSpread, population_spreads

FORMAT = 1


@dataclass(frozen=True, slots=True)
class DeviceTwin:
    """What is believed about one device."""

    model: str
    parameters: Mapping[str, Estimate]
    verdict: Verdict
    chi2_reduced: float
    better_model: str | None = None
    reason: str = ""
    validity: Mapping[str, tuple[float, float, str]] = field(default_factory=dict)

    def as_fit(self) -> Fit:
        """Return it as a fit, without the points that it came from."""
        return Fit(
            model=self.model,
            parameters=self.parameters,
            chi2_reduced=self.chi2_reduced,
            probability=math.nan,
            verdict=self.verdict,
            reason=self.reason,
            better_model=self.better_model,
            validity=self.validity,
        )

    def values(self) -> dict[str, float]:
        """Parameters as plain numbers in their units."""
        return {name: estimate.value for name, estimate in self.parameters.items()}


@dataclass(frozen=True, slots=True)
class Twin:
    """Device twins by name, and the sessions and files that they came from.

    Attributes
    ----------
    sources
        File names.
    provenance
        For each of them what tells it for certain: of a session its ``uuid`` and ``journal_digest``, of
        another file its ``sha256``.
    """

    devices: Mapping[str, DeviceTwin]
    sources: tuple[str, ...] = ()
    provenance: tuple[Mapping[str, str], ...] = ()

    @property
    def populations(self) -> dict[str, PopulationSpread]:
        """How devices of one kind differ, computed from the devices."""
        return population_spreads(self.devices)

    @classmethod
    def from_fits(
        cls,
        fits: Mapping[str, Fit],
        sources: Sequence[str] = (),
        provenance: Sequence[Mapping[str, str]] = (),
    ) -> Twin:
        """Take over fits; fits that do not describe their device keep that verdict."""
        devices = {
            name: DeviceTwin(
                model=fit.model,
                parameters=dict(fit.parameters),
                verdict=fit.verdict,
                chi2_reduced=fit.chi2_reduced,
                better_model=fit.better_model,
                reason=fit.reason,
                validity=dict(fit.validity),
            )
            for name, fit in fits.items()
        }
        return cls(devices, tuple(sources), tuple(provenance))

    def describe(self) -> dict[str, dict[str, Any]]:
        """Return the devices as strict JSON data (None where a number is not finite)."""
        return {name: device.as_fit().summary() for name, device in self.devices.items()}

    def write(self, path: Path, *, force: bool = False) -> Path:
        """Write the TOML file, atomically.

        Raises
        ------
        UsageError
            Where the file exists and ``force`` is false.
        """
        if path.exists() and not force:
            raise UsageError("exists already", file=path, remedy="choose another --out, or remove it")
        temporary = path.with_name(path.name + ".part")
        temporary.write_text(self.to_toml(), encoding="utf-8")
        os.replace(temporary, path)
        return path

    def to_toml(self) -> str:
        """Return the file's text; numbers are written so that they read back bit for bit."""
        lines = [
            f"format = {FORMAT}",
            f"sources = [{', '.join(_text(source) for source in self.sources)}]",
            "",
        ]
        for entry in self.provenance:
            lines += [
                "[[provenance]]",
                *(f"{_text(key)} = {_text(value)}" for key, value in entry.items()),
                "",
            ]
        for name, device in self.devices.items():
            lines += _device_lines(f"devices.{_text(name)}", device)
        for name, population in self.populations.items():
            lines += _population_lines(f"populations.{_text(name)}", population)
        return "\n".join(lines)

    @classmethod
    def read(cls, path: Path) -> Twin:
        """Read a twin file.

        Raises
        ------
        DataError
            For a missing, unreadable or newer file, naming the key.
        """
        try:
            data = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError("no such twin file", file=path, remedy="make one with labtrain fit") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            raise DataError(f"is not a twin file: {problem}", file=path) from None
        try:
            return cls.of_tables(data)
        except DataError as error:
            raise DataError(error.message, remedy=error.remedy, file=path, key=error.key) from None

    @classmethod
    def of_tables(cls, data: Mapping[str, Any]) -> Twin:
        """Take a twin file's content; raises as :meth:`read`."""
        if data.get("format") != FORMAT:
            raise DataError(
                f"has format {data.get('format')!r}; this version reads {FORMAT}",
                remedy="make a twin with labtrain fit",
                key="format",
            )
        try:
            devices = {name: _read_device(entry) for name, entry in data.get("devices", {}).items()}
            provenance = tuple(
                {str(key): str(value) for key, value in entry.items()} for entry in data.get("provenance", ())
            )
        except (AttributeError, KeyError, TypeError, ValueError) as problem:
            raise DataError(f"is incomplete: {problem!r}", remedy="fit again", key="devices") from None
        return cls(devices, tuple(data.get("sources", ())), provenance)


def _device_lines(table: str, device: DeviceTwin) -> list[str]:
    lines = [
        f"[{table}]",
        f"reason = {_text(device.reason)}",
        f"model = {_text(device.model)}",
        f"verdict = {_text(device.verdict)}",
        f"chi2_reduced = {_float(device.chi2_reduced)}",
    ]
    if device.better_model:
        lines.append(f"better_model = {_text(device.better_model)}")
    for name, (low, high, unit) in device.validity.items():
        lines.append(
            f"validity.{name} = {{ low = {_float(low)}, high = {_float(high)}, unit = {_text(unit)} }}"
        )
    for name, e in device.parameters.items():
        fixed = ", fixed = true" if e.fixed else ""
        interval = f"[{_float(e.interval[0])}, {_float(e.interval[1])}]"
        lines.append(
            f"parameters.{name} = {{ value = {_float(e.value)}, uncertainty = {_float(e.uncertainty)},"
            f" unit = {_text(e.unit)}, interval95 = {interval}{fixed} }}"
        )
    return [*lines, ""]


def _population_lines(table: str, population: PopulationSpread) -> list[str]:
    """Redundant, for people and other programs: computed from the devices again when read."""
    lines = [
        f"[{table}]",
        f"model = {_text(population.model)}",
        f"devices = {population.devices}",
        f"described = {population.described}",
        f"basis = {_text(population.basis)}",
        f"method = {_text(METHOD)}",
    ]
    for name, found in population.parameters.items():
        spread_unit = "" if found.relative else found.mean.unit
        numbers = {
            "mean": found.mean.value,
            "uncertainty": found.mean.uncertainty,
            "spread": found.spread.value,
            "spread_uncertainty": found.spread.uncertainty,
            "average": found.average,
            "median": found.median,
        }
        said = ", ".join(f"{key} = {_float(value)}" for key, value in numbers.items())
        lines.append(
            f"parameters.{name} = {{ {said}, unit = {_text(found.mean.unit)},"
            f" spread_unit = {_text(spread_unit)}, relative = {str(found.relative).lower()} }}"
        )
    return [*lines, ""]


def _text(text: str) -> str:
    """A JSON string is a TOML basic string, but for the one control character that JSON leaves as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _float(value: float) -> str:
    """TOML spells nan and inf as Python does, and floats need a point or an exponent."""
    return repr(float(value))


def _read_device(entry: Mapping[str, Any]) -> DeviceTwin:
    return DeviceTwin(
        model=entry["model"],
        verdict=entry["verdict"],
        chi2_reduced=float(entry.get("chi2_reduced", math.nan)),
        better_model=entry.get("better_model"),
        reason=entry.get("reason", ""),
        validity={
            n: (float(v["low"]), float(v["high"]), v["unit"]) for n, v in entry.get("validity", {}).items()
        },
        parameters={
            name: Estimate(
                float(p["value"]),
                float(p["uncertainty"]),
                p["unit"],
                (float(p["interval95"][0]), float(p["interval95"][1])),
                bool(p.get("fixed", False)),
            )
            for name, p in entry.get("parameters", {}).items()
        },
    )

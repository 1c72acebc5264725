"""``labtrain doctor``: what is installed, what is seen, what is wrong and the remedy."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from labtrain.cli.outcome import JsonFlag, ending

_PACKAGES = (
    "numpy",
    "torch",
    "h5py",
    "pymeasure",
    "pyvisa",
    "pyvisa-py",
    "pyserial",
    "pydantic",
    "pint",
    "numba",
)


@dataclass(frozen=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    found: str
    remedy: str | None = None


def doctor(as_json: JsonFlag = False) -> None:
    """Look at the installation: packages, VISA backends, ports, places to write.

    Example: labtrain doctor
    """
    with ending(as_json) as end:
        checks = [check for look in _LOOKS for check in look()]
        fine = all(check.ok for check in checks)
        lines = [
            ("[green]ok[/]      " if check.ok else "[red]problem[/] ")
            + f"{check.name}: {check.found}"
            + (f" ({check.remedy})" if check.remedy else "")
            for check in checks
        ]
        end.with_(
            {"ok": fine, "checks": [asdict(check) for check in checks]},
            "\n".join(lines),
            exit_code=0 if fine else 1,
        )


def _python() -> list[Check]:
    found = f"{platform.python_version()} on {platform.platform()}"
    checks = [Check("python", sys.version_info >= (3, 11), found)]
    for name in _PACKAGES:
        try:
            checks.append(Check(name, True, version(name)))
        except PackageNotFoundError:
            checks.append(Check(name, False, "not installed", 'pip install -e ".[test]"'))
    return checks


def _siblings() -> list[Check]:
    """The four packages have generic names: make sure that they are ours."""
    import drivers
    import labtrain
    import protocols
    import simulated_instruments

    home = Path(labtrain.__file__).parent.parent
    return [
        Check(
            module.__name__,
            Path(str(module.__file__)).parent.parent == home,
            str(Path(str(module.__file__)).parent),
            None
            if Path(str(module.__file__)).parent.parent == home
            else "another package owns this name: use a fresh environment",
        )
        for module in (drivers, protocols, simulated_instruments)
    ]


def _visa() -> list[Check]:
    import pyvisa

    checks = []
    for backend, what in (("@py", "PyVISA-py"), ("@ivi", "a system VISA library")):
        try:
            manager = pyvisa.ResourceManager(backend)
        except Exception as error:  # every backend fails in its own way
            needed = backend == "@py"
            checks.append(
                Check(
                    f"VISA {backend}",
                    not needed,
                    f"{what}: none ({type(error).__name__})",
                    "pip install pyvisa-py" if needed else None,
                )
            )
            continue
        checks.append(Check(f"VISA {backend}", True, what))
        manager.close()
    return checks


def _ports() -> list[Check]:
    from serial.tools.list_ports import comports

    names = [port.device for port in comports()]
    return [Check("serial ports", True, ", ".join(names) or "none seen")]


def _places() -> list[Check]:
    from labtrain.bench import bench_names, state_directory

    place = state_directory()
    checks = [
        Check(
            "state directory",
            place.is_dir(),
            str(place),
            None if place.is_dir() else "set LABTRAIN_STATE to a writable folder",
        )
    ]
    names = bench_names()
    return [
        *checks,
        Check(
            "shipped benches",
            bool(names),
            ", ".join(names) or "none",
            None if names else "reinstall labtrain",
        ),
    ]


_LOOKS: tuple[Callable[[], list[Check]], ...] = (_python, _siblings, _visa, _ports, _places)

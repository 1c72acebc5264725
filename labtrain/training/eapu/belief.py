"""What is believed of the noise of a write: a twin's measurement, from which the threshold follows."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from labtrain.errors import UsageError
from labtrain.training.recipes import Context

MODEL, PARAMETER = "write-noise", "write_noise"


def threshold_of(context: Context, otherwise: float) -> float:
    """Return the threshold in units of the weights: the setting, else the twin's write noise.

    The variance of an update is least where the threshold is the noise of a write.

    Parameters
    ----------
    otherwise
        Where neither is given.
    """
    given: float | None = context.settings["threshold"]
    if given is not None:
        return given
    if context.twin is None:
        return otherwise
    unit: float = context.settings["siemens_per_unit"]
    return measured_write_noise(context.twin) / unit


def measured_write_noise(path: str) -> float:
    """Return the median write noise in S of the devices of a twin that open-loop writes were fitted of.

    Parameters
    ----------
    path
        A twin file: ``labtrain fit --model write-noise`` of writes with their targets.

    Raises
    ------
    UsageError
        Where the twin has no such fit that describes its device.
    """
    from labtrain.twins import Twin  # with SciPy's statistics: a second that other beliefs need not wait

    fits = [fit for fit in Twin.read(Path(path)).devices.values() if fit.model == MODEL]
    found = [fit.values().get(PARAMETER, 0.0) for fit in fits if fit.verdict == "describes"]
    measured = [siemens for siemens in found if siemens > 0]
    if not measured:
        raise UsageError(
            f"the twin has no {MODEL} fit with targets that describes its device",
            file=path,
            remedy="fit open-loop writes with their targets by --model write-noise, or set threshold",
            key="twin",
        )
    return median(measured)

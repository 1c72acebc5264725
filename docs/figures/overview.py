"""Draw README's picture from the demo's session.

    python docs/figures/overview.py labtrain-demo/demo.h5 [OUT.png]

Everything in it is read from that one file: readings, switching attempts, epochs, gradients.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from labtrain import Recording
from labtrain.procedures import distinct, select
from labtrain.report.current_voltage import draw_device
from labtrain.report.learning import draw_folds
from labtrain.report.runs import Run, protocol_runs
from labtrain.report.style import BLUE, GREY, ORANGE, new_figure, sober
from labtrain.report.switching import attempts_at, draw_curve


def main() -> None:
    """Compose the four panels and write them."""
    session, *out = map(Path, sys.argv[1:])
    with Recording.open(session) as recording, sober():
        figure = new_figure(9.6, 5.6)
        (volts, switching), (learning, slopes) = figure.subplots(2, 2)
        neurons(volts, next(protocol_runs(recording, "iv-curve")))
        junction(switching, next(protocol_runs(recording, "switching-probability")))
        iris(learning, recording.rows("train/iris-afd/epochs").columns)
        gradients(slopes, recording.rows("train/iris-afd/gradients").columns)
        figure.savefig(
            out[0] if out else Path(__file__).with_name("overview.png"), dpi=130, metadata={"Software": None}
        )


def neurons(axes: Any, run: Run) -> None:
    """Draw the family of V(I), and the twins fitted to it."""
    fits = {name: fit for name, fit in run.fits().items() if name.endswith("/top")}
    columns = run.rows.columns
    for device in distinct(columns["device"]):
        draw_device(axes, device, select(columns, device=device, terminal="top"), fits)
    poor = [name.partition("/")[0] for name, fit in fits.items() if fit.verdict != "describes" and fit.points]
    axes.text(0.97, 0.05, f"no twin: {', '.join(poor)}", transform=axes.transAxes, ha="right", fontsize=8)
    axes.set_title("nano-neurons: readings and fitted twins")
    axes.set_xlabel("current (µA)")
    axes.set_ylabel("voltage (mV)")


def junction(axes: Any, run: Run) -> None:
    """Draw the first curve of the first device."""
    columns = run.rows.columns
    name, fit = next(described(run))
    device, _, direction = name.rpartition("/")
    draw_curve(axes, fit, attempts_at(select(columns, device=device), direction, fit), BLUE)
    axes.set_title(f"SOT-MTJ, {direction.replace('->', ' → ')}: counts, fit and its 95 % band")
    axes.set_xlabel("pulse amplitude at the device (V)")
    axes.set_ylabel("switching probability")


def described(run: Run) -> Iterator[tuple[str, Any]]:
    """Yield the fits that describe their device, by name."""
    return ((name, fit) for name, fit in run.fits().items() if fit.verdict == "describes")


def iris(axes: Any, rows: Any) -> None:
    """Draw the accuracy by epoch, beside the tanh network."""
    draw_folds(axes, rows, "validation_accuracy", BLUE, "MTJ pairs read by a source meter")
    draw_folds(axes, rows, "baseline_accuracy", ORANGE, "tanh network")
    axes.set_title("Iris, trained through the instruments (5 folds and their mean)")
    axes.set_xlabel("epoch")
    axes.set_ylabel("validation accuracy (%)")
    axes.legend(loc="lower right")


def gradients(axes: Any, rows: Any) -> None:
    """Draw the devices' own slopes against numerical derivatives."""
    device, reference = rows["device_slope"] / 1e3, rows["reference_slope"] / 1e3
    ends = [min(device.min(), reference.min()), max(device.max(), reference.max())]
    cosine = float(device @ reference / np.sqrt((device @ device) * (reference @ reference)))
    axes.plot(ends, ends, color=GREY, linewidth=0.9)
    axes.plot(reference, device, ".", color=BLUE, markersize=3.5, alpha=0.6)
    axes.set_title(f"gradient from the devices: cosine {cosine:.4f}")
    axes.set_xlabel("numerical dV/dI (kΩ)")
    axes.set_ylabel("device dV/dI (kΩ)")


if __name__ == "__main__":
    main()

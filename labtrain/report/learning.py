"""Training: loss and accuracy by epoch and fold beside the baseline, gradients, drift."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from labtrain.procedures import distinct, select
from labtrain.report.sections import Section, Table
from labtrain.report.style import BLUE, GREY, ORANGE, Picture, colour, new_figure, picture

if TYPE_CHECKING:
    from labtrain.session import Recording


def learning_section(recording: Recording, recipe: str) -> Section:
    """Draw what a training run left in the record."""
    names = recording.stream_names()
    root, pictures = f"train/{recipe}", []
    if f"{root}/epochs" in names and len(recording.rows(f"{root}/epochs")):
        pictures.append(_epochs(recording.rows(f"{root}/epochs").columns))
    if f"{root}/gradients" in names and len(recording.rows(f"{root}/gradients")):
        pictures.append(_gradients(recording.rows(f"{root}/gradients").columns))
    if f"{root}/drift" in names and len(recording.rows(f"{root}/drift")):
        pictures.append(_drift(recording.rows(f"{root}/drift").columns))
    result = (
        recording.document(f"result/{recipe}") if f"result/{recipe}" in recording.document_names() else {}
    )
    return Section(f"Training: {recipe}", _lead(result), pictures, _tables(result))


def _lead(result: Mapping[str, Any]) -> str:
    if result.get("accuracy") is None:
        return ""
    text = f"{result['accuracy']:.2f} % {result.get('split', '')} accuracy at the last epoch"
    if result.get("baseline_accuracy") is not None:
        text += f"; the baseline network on the same data reaches {result['baseline_accuracy']:.2f} %"
    if result.get("gradient_cosine") is not None:
        text += f". Cosine of device and numerical gradients: {result['gradient_cosine']:.4f}"
    worked = [f"{what} {_listed(result[what])}" for what in ("dead", "stuck") if result.get(what)]
    return text + (f". Worked round: {', '.join(worked)}." if worked else ".")


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _tables(result: Mapping[str, Any]) -> list[Table]:
    tables = []
    if result.get("accuracies"):
        mine, other = result["accuracies"], result.get("baseline_accuracies") or []
        folds = [f"fold {i + 1}" for i in range(len(mine))]
        rows = [("devices", *(f"{value:.2f}" for value in mine))]
        if len(other) == len(mine):
            rows.append(("baseline", *(f"{value:.2f}" for value in other)))
        tables.append(Table(("accuracy (%)", *folds), rows))
    if result.get("ledger"):
        rows = [(name.replace("_", " "), _figure(value)) for name, value in result["ledger"].items()]
        tables.append(Table(("ledger", ""), rows))
    return tables


def _figure(value: Any) -> str:
    return (
        f"{value:,.6g}"
        if isinstance(value, float)
        else f"{value:,}"
        if isinstance(value, int)
        else str(value)
    )


def _epochs(rows: Mapping[str, NDArray[Any]]) -> Picture:
    """Draw loss and accuracy; the loss alone where nothing was held out to be watched."""
    watched = bool(np.isfinite(rows["validation_accuracy"].astype(float)).any())
    figure = new_figure(7.6, 2.9)
    loss, *others = figure.subplots(1, 1 + watched, squeeze=False)[0]
    draw_folds(loss, rows, "train_loss", BLUE, "devices in the loop")
    if "baseline_loss" in rows:
        draw_folds(loss, rows, "baseline_loss", ORANGE, "baseline")
    loss.set_yscale("log")
    for accuracy in others:
        draw_folds(accuracy, rows, "validation_accuracy", BLUE, "devices in the loop")
        if "baseline_accuracy" in rows:
            draw_folds(accuracy, rows, "baseline_accuracy", ORANGE, "baseline")
    for axes, label in zip((loss, *others), ("training loss", "validation accuracy (%)"), strict=False):
        axes.set_xlabel("epoch")
        axes.set_ylabel(label)
    (loss, *others)[-1].legend(loc="lower right" if watched else "upper right")
    return picture(
        figure, "Loss and accuracy by epoch", "Thin lines: folds; thick lines: their mean at each epoch."
    )


def draw_folds(axes: Any, rows: Mapping[str, NDArray[Any]], name: str, ink: str, label: str) -> None:
    """Draw a column by epoch, thin for each fold and thick for their mean."""
    if not np.isfinite(rows[name].astype(float)).any():
        return
    for fold in distinct(rows["fold"]):
        own = select(rows, fold=fold)
        axes.plot(own["epoch"], own[name], color=ink, linewidth=0.7, alpha=0.35)
    epochs = np.unique(rows["epoch"])
    mean = [float(np.nanmean(rows[name][rows["epoch"] == epoch])) for epoch in epochs]
    axes.plot(epochs, mean, color=ink, linewidth=2, label=label)


def _gradients(rows: Mapping[str, NDArray[Any]]) -> Picture:
    figure = new_figure(7.6, 3.2)
    left, right = figure.subplots(1, 2, width_ratios=[1, 1.35])
    device, reference = rows["device_slope"] / 1e3, rows["reference_slope"] / 1e3
    ends = [min(device.min(), reference.min()), max(device.max(), reference.max())]
    left.plot(ends, ends, color=GREY, linewidth=0.9)
    left.plot(reference, device, ".", color=BLUE, markersize=3.5, alpha=0.6)
    cosine = float(device @ reference / np.sqrt((device @ device) * (reference @ reference)))
    left.set_title(f"cosine {cosine:.4f}")
    left.set_xlabel("numerical dV/dI (kΩ)")
    left.set_ylabel("device dV/dI (kΩ)")
    for place, neuron in enumerate(distinct(rows["neuron"])):
        own = select(rows, neuron=neuron)
        order = np.argsort(own["amperes"], kind="stable")
        amperes = own["amperes"][order] * 1e6
        right.plot(amperes, own["reference_slope"][order] / 1e3, color=colour(place), linewidth=0.9)
        right.plot(amperes, own["device_slope"][order] / 1e3, ".", color=colour(place), markersize=3.5)
    right.set_xlabel("current (µA)")
    right.set_ylabel("dV/dI (kΩ)")
    caption = (
        "Dots: finite difference read from the pair; lines: central difference of the forward device."
        " The numerical derivative is itself a measurement and carries noise."
    )
    return picture(figure, "Device gradient against numerical gradient", caption)


def _drift(rows: Mapping[str, NDArray[Any]]) -> Picture:
    figure = new_figure(7.6, 2.1)
    axes = figure.add_subplot()
    start = int(rows["t_ns"].min())
    for place, device in enumerate(distinct(rows["device"])):
        own = select(rows, device=device)
        middle = float(np.median(own["ohm"]))
        axes.plot(
            (own["t_ns"] - start) / 60e9,
            (own["ohm"] / middle - 1) * 1e6,
            ".-",
            color=colour(place),
            linewidth=0.8,
            label=f"{device}, {middle:,.1f} Ω",
        )
    axes.axhline(0, color="#5b616b", linewidth=0.8)
    axes.set_xlabel("bench time (minutes)")
    axes.set_ylabel("deviation (ppm)")
    axes.legend()
    return picture(
        figure, "Drift of the reference", "The reference resistor during training, about its median."
    )

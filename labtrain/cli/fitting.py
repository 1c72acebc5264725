"""``labtrain fit``: device twins from sessions and measured data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from labtrain.cli.outcome import JsonFlag, ending


def fit(
    sources: Annotated[
        list[Path], typer.Argument(metavar="S.h5|DATA.csv ...", help="Sessions or CSV files.")
    ],
    out: Annotated[Path, typer.Option("--out", help="The twin file (TOML) to write.")],
    columns: Annotated[Path | None, typer.Option("--columns", help="The column map of CSV files.")] = None,
    model: Annotated[
        str | None, typer.Option("--model", help="The model to fit; default: by the data.")
    ] = None,
    device: Annotated[str | None, typer.Option("--device", help="Only this device or array.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Fit device twins, with uncertainties and a verdict on the model.

    Example: labtrain fit labtrain-demo/demo.h5 --out twins.toml

    Measured data from elsewhere: labtrain fit a.csv b.csv --columns MAP.toml --out twins.toml
    """
    with ending(as_json) as end:
        from labtrain.twins import fit_files

        twins = fit_files(sources, columns=columns, model=model, device=device)
        twins.write(out)
        devices = twins.describe()
        end.with_({"devices": devices, "out": out}, twins_text(devices))


def twins_text(devices: dict[str, Any]) -> str:
    """Write each device's verdict and fitted parameters, two lines a device."""
    from rich.markup import escape

    lines = []
    for name, item in devices.items():
        better = f", better: {item['better_model']}" if item.get("better_model") else ""
        chi2 = f", chi2/dof {_digits(item['chi2_reduced'], 3)}"
        lines.append(f"[bold]{escape(name)}[/]  {item['model']}: {item['verdict']}{better}{chi2}")
        said = [_parameter(key, value) for key, value in item["parameters"].items()]
        lines += ["    " + ", ".join(said)] if said else []
    return "\n".join(lines)


def _parameter(name: str, fitted: dict[str, Any]) -> str:
    """Write ``v50 = 0.8974 ± 0.0022 V``; undetermined ones have no uncertainty."""
    value, uncertainty = fitted["value"], fitted["uncertainty"]
    if value is None:
        return f"{name} = ?"
    text = f"{value:.4g}" if not uncertainty else f"{value:.4g} ± {uncertainty:.2g}"
    return f"{name} = {text} {fitted['unit']}".rstrip()


def _digits(value: float | None, digits: int) -> str:
    return "?" if value is None else f"{value:.{digits}g}"

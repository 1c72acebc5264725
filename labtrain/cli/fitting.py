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
    """
    with ending(as_json) as end:
        from labtrain.twins import fit_files

        twins = fit_files(sources, columns=columns, model=model, device=device)
        twins.write(out)
        devices = twins.describe()
        end.with_({"devices": devices, "out": out}, twins_table(devices))


def twins_table(devices: dict[str, Any]) -> Any:
    """Draw the fitted parameters."""
    from rich.table import Table

    table = Table("device", "model", "parameters", "chi2/dof", "verdict", box=None, pad_edge=False)
    for name, item in devices.items():
        said = ", ".join(_parameter(key, value) for key, value in item["parameters"].items())
        verdict = item["verdict"] + (f" (better: {item['better_model']})" if item.get("better_model") else "")
        table.add_row(name, item["model"], said, _digits(item["chi2_reduced"], 3), verdict)
    return table


def _parameter(name: str, fitted: dict[str, Any]) -> str:
    """Write ``v50 = 0.8974 ± 0.0022 V``; a parameter that the data do not determine has no uncertainty."""
    value = _digits(fitted["value"], 4)
    if fitted["uncertainty"] is not None:
        value += f" ± {_digits(fitted['uncertainty'], 2)}"
    return f"{name} = {value} {fitted['unit']}".rstrip()


def _digits(value: float | None, digits: int) -> str:
    return "?" if value is None else f"{value:.{digits}g}"

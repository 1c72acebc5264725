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

    table = Table("device", "model", "parameters", "chi2/dof", "verdict", box=None)
    for name, item in devices.items():
        said = ", ".join(
            f"{key} = {p['value']:.4g} ± {p['uncertainty']:.2g} {p['unit']}"
            if p["uncertainty"] is not None
            else f"{key} = {p['value']:.4g} {p['unit']}"
            for key, p in item["parameters"].items()
        )
        chi2 = item["chi2_reduced"]
        table.add_row(name, item["model"], said, "" if chi2 is None else f"{chi2:.2f}", item["verdict"])
    return table

"""The report draws every model's fit from the rows of a recording alone."""

import re

import pytest
from twins_hidden import CASES

from labtrain.report import write_report
from labtrain.session import Recording, Session
from labtrain.session.sink import Column
from labtrain.twins.column_map import ROLES

DEVICES = 3
DRAWN = [
    name for name in CASES if name not in ("resistance", "logistic", "plateaued-logistic", "nano-neuron")
]


def record(path, names):
    """A session with one run a model, three devices each."""
    with Session.create(path, start={"command": "run", "argv": ["run", "hidden"]}) as session:
        for number, name in enumerate(names, 1):
            case = CASES[name]
            measured = [case.measure(seed) for seed in range(DEVICES)]
            roles = list(measured[0])
            columns = {"device": Column("str")} | {role: Column(unit=ROLES[role]) for role in roles}
            plan = {
                "columns": {role: {"name": role, "unit": ROLES[role]} for role in roles},
                "group_by": ["device"],
            }
            hint = {"model": case.model, "models": [case.model], "map": plan}
            rows = session.stream(
                f"runs/{number:04d}_{name}/points", columns, {"protocol": f"hidden-{name}", "fit": hint}
            )
            for device, data in enumerate(measured):
                for i in range(len(data[roles[0]])):
                    rows.append(
                        {"device": f"cells[{device}]"} | {role: float(data[role][i]) for role in roles}
                    )
    return path


@pytest.mark.parametrize("name", ["bias-tmr", "two-state-telegraph", "relaxation"])
def test_a_model_is_drawn_with_its_parameters_and_population(name, tmp_path):
    path = record(tmp_path / f"{name}.h5", [name])
    with Recording.open(path) as recording:
        text = write_report(recording, tmp_path / "page.html").read_text(encoding="utf-8")
    images = re.findall(r"<img src=\"data:image/svg\+xml;base64,[^\"]+\" alt=\"([^\"]+)\"", text)
    assert len(images) == 2 and "cells[0], cells[1]" in images[0]
    assert f"Population cells, {name}: {DEVICES} of {DEVICES} described" in text
    for parameter in CASES[name].truth:
        assert f"<td>{parameter}</td>" in text
    assert not re.search(r"\bnan\b", text)


@pytest.mark.slow
def test_all_models_on_one_page(tmp_path):
    path = record(tmp_path / "all.h5", DRAWN)
    with Recording.open(path) as recording:
        text = write_report(recording, tmp_path / "page.html").read_text(encoding="utf-8")
    assert len(re.findall(r"<img src", text)) == 2 * len(DRAWN)

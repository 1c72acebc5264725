"""What ``labtrain fit`` makes of protocols' rows: maps name what models need, and fits find the truth."""

import pytest
from protocols_cases import CASES, NAMES, hidden

from labtrain import entry_points
from labtrain.session import Recording
from labtrain.twins import fit_recording
from labtrain.twins.column_map import column_map
from labtrain.twins.models import MODELS

FITTED = [name for name in NAMES if entry_points.load(entry_points.PROTOCOLS, name).FIT]


def fits(everything, model, device):
    with Recording.open(everything[0]) as recording:
        return fit_recording(recording, model=model, devices=[device])


@pytest.mark.parametrize("name", FITTED)
def test_every_hint_has_what_its_models_need(name):
    procedure = entry_points.load(entry_points.PROTOCOLS, name)
    plan = column_map(procedure.FIT["map"])
    assert procedure.FIT["model"] in procedure.FIT["models"]
    assert {use.name for use in plan.columns.values()} <= set(procedure.COLUMNS)
    for role, use in plan.columns.items():
        use.factor(role)
    for model in procedure.FIT["models"]:
        assert MODELS[model].suits(plan.columns), model


def test_switching_over_widths_asks_for_a_model_of_both():
    procedure = entry_points.load(entry_points.PROTOCOLS, "switching-probability")()
    procedure.widths = 3
    hint = procedure.fit_hint()
    assert MODELS[hint["model"]].suits(column_map(hint["map"]).columns)


@pytest.mark.parametrize(
    ("model", "device", "name", "parameters"),
    [
        ("two-state-telegraph", "fast_bits[0]", "fast_bits[0]/top", ["delta", "v50"]),
        ("nano-neuron", "neurons[1]", "neurons[1]/top", ["i50"]),
        ("soft-bounds", "cells[1]", "cells[1]/top", ["g_max"]),
    ],
)
def test_fits_of_protocol_rows_cover_the_hidden_truth(everything, model, device, name, parameters):
    """Within three times the 95 % interval's half width: 6 standard deviations."""
    found = fits(everything, model, device)[name]
    assert found.model == model
    for parameter in parameters:
        estimate, truth = found.parameters[parameter], hidden(device)[parameter]
        assert abs(estimate.value - truth) < 6 * estimate.uncertainty, parameter


@pytest.mark.parametrize(("model", "device"), [("bias-tmr", "sot[0]"), ("relaxation", "cells[1]")])
def test_the_other_models_read_their_rows(everything, model, device):
    found = fits(everything, model, device)[f"{device}/top"]
    assert found.model == model and found.verdict in ("describes", "does-not-describe", "insufficient")
    assert len(CASES) == len(NAMES)

"""A small sealed session as the demo would leave it, from the equations of the devices."""

from pathlib import Path

import numpy as np

from labtrain import noise
from labtrain.physics.neuron import mean_voltage, slope, window_noise
from labtrain.session import Session
from labtrain.session.sink import Column
from protocols.contact_check import ContactCheck
from protocols.iv_curve import IVCurve
from protocols.switching_probability import SwitchingProbability

BENCH = b"""
seed = 3
[instruments.smu]
model = "2450"
[sample]
wafer = "SIM1"
die = "0,0"
[environment]
field = { value = "20 mT", source = "manual" }
"""

NEURON = {"r_p": 4e3, "tmr0": 1.2, "v_h": 0.5, "i50": 30e-6, "w": 2e-6, "r_series": 0.0, "tau_c": 20e-9}
V50, SLOPE = 0.60, 60.0


def neuron(cell):
    """One device of a chip with 5 % mismatch."""
    z = noise.normal(3, 1, cell, np.arange(4))
    spread = {"r_p": 4e3 * (1 + 0.05 * z[0]), "tmr0": 1.2 * (1 + 0.05 * z[1]), "i50": 30e-6 + 0.4e-6 * z[2]}
    return NEURON | spread | {"w": 2e-6 * (1 + 0.05 * z[3]), "read_noise": 2e-4}


def write_session(path: Path) -> Path:
    start = {
        "command": "demo",
        "seed": 5,
        "bench": "demo.toml",
        "argv": ["demo"],
        "steps": [{"name": "0001_contact-check"}, {"name": "0002_iv-curve"}],
    }
    with Session.create(path, start=start, bench_file=BENCH) as session:
        session.document("instruments", {"smu": {"idn": "KEITHLEY INSTRUMENTS,MODEL 2450,0,1.7.12b"}})
        _contact(session)
        _iv(session)
        _switching(session)
        _training(session)
    return path


def _attributes(procedure, devices, **more):
    return {
        "protocol": procedure.NAME,
        "parameters": {"nplc": 0.1},
        "parameter_units": {"nplc": ""},
        "devices": devices,
        "expected_resistance": {},
        "seed": 5,
        "fit": dict(procedure.FIT),
    } | more


def _contact(session):
    names = [f"neurons[{i}]" for i in range(6)]
    expected = {f"{name}.{t}": [1e3, 20e3] for name in names for t in ("top", "top_pair")}
    rows = session.stream(
        "runs/0001_contact-check/points",
        ContactCheck.COLUMNS,
        _attributes(ContactCheck, names, expected_resistance=expected),
    )
    for i, name in enumerate(names):
        for terminal in ("top", "top_pair"):
            ohm = 1e12 if i == 3 else 4e3 + 37 * i
            for volts in (0.02, -0.02):
                reading = {
                    "programmed": volts,
                    "volts": volts,
                    "amperes": volts / ohm,
                    "seconds": 0.0,
                    "flags": 0,
                }
                rows.append({"device": name, "terminal": terminal} | reading)


def _iv(session):
    names = [f"neurons[{i}]" for i in range(6)]
    rows = session.stream("runs/0002_iv-curve/points", IVCurve.COLUMNS, _attributes(IVCurve, names))
    levels = np.linspace(0, 50e-6, 41)
    for i, name in enumerate(names):
        for t, terminal in enumerate(("top", "top_pair")):
            cell = neuron(2 * i + t)
            for repeat in range(2):
                for way, sweep in (("up", levels), ("down", levels[::-1])):
                    k = np.arange(len(levels)) + 1000 * repeat + 500 * (way == "down")
                    volts = mean_voltage(cell, sweep)
                    volts = volts + window_noise(cell, sweep, 2e-3) * noise.normal(9, 2, 2 * i + t, k)
                    dead = i == 3
                    for amperes, v in zip(sweep, volts, strict=True):
                        rows.append(
                            {
                                "device": name,
                                "terminal": terminal,
                                "repeat": repeat,
                                "direction": way,
                                "programmed": amperes,
                                "volts": 0.5 if dead else v,
                                "amperes": amperes,
                                "seconds": 0.0,
                                "flags": 1 if dead else 0,
                            }
                        )


def _switching(session):
    rows = session.stream(
        "runs/0003_switching-probability/points",
        SwitchingProbability.COLUMNS,
        _attributes(SwitchingProbability, ["sot"]),
    )
    row = {"device": "sot", "terminal": "line", "pulse_seconds": 10e-9, "threshold": 7.3e3, "flags": 0}
    order = 0
    for k in range(20):
        ohm = (4.9e3 if k % 2 else 9.8e3) + 20 * float(noise.normal(1, 3, 0, k))
        own = {
            "volts": 0.9,
            "ohm_before": np.nan,
            "ohm_after": ohm,
            "direction": "AP->P" if k % 2 else "P->AP",
        }
        rows.append(
            row
            | own
            | {"kind": "calibration", "order": order, "resets": 1, "valid": False, "switched": False}
        )
        order += 1
    for direction, sign in (("P->AP", 1), ("AP->P", -1)):
        for volts in np.linspace(0.5, 0.7, 15):
            u = noise.uniform(4, 5, order, np.arange(40))
            p = 1 / (1 + np.exp(-SLOPE * (volts - V50)))
            for k, draw in enumerate(u):
                switched = bool(draw < p)
                high = switched == (sign > 0)
                own = {
                    "volts": sign * volts,
                    "ohm_before": 4.9e3 if sign > 0 else 9.8e3,
                    "ohm_after": (9.8e3 if high else 4.9e3) + 20 * float(noise.normal(1, 4, order, k)),
                    "direction": direction,
                }
                rows.append(
                    row
                    | own
                    | {"kind": "attempt", "order": order, "resets": 1, "valid": True, "switched": switched}
                )
                order += 1


def _training(session):
    integer, number = Column("int64"), Column("float64")
    columns = {"fold": integer, "epoch": integer, "train_loss": number, "validation_accuracy": number}
    columns |= {"baseline_loss": number, "baseline_accuracy": number}
    epochs = session.stream("train/iris-afd/epochs", columns, {})
    for fold in range(5):
        for epoch in range(40):
            wiggle = float(noise.normal(5, 6, fold, epoch))
            loss = float(np.exp(-epoch / 12) + 0.06)
            epochs.append(
                {
                    "fold": fold,
                    "epoch": epoch,
                    "train_loss": loss * (1 + 0.05 * wiggle),
                    "validation_accuracy": 96.7 - 60 * float(np.exp(-epoch / 4)) + wiggle,
                    "baseline_loss": 0.9 * loss,
                    "baseline_accuracy": 97.0 - 55 * float(np.exp(-epoch / 4)),
                }
            )
    _gradients(session)
    drift = session.stream(
        "train/iris-afd/drift",
        {"t_ns": Column("int64", "ns"), "device": Column("str"), "ohm": Column(unit="ohm")},
        {},
    )
    for k in range(30):
        ohm = 10e3 * (1 + 20e-6 * float(noise.normal(7, 8, 0, k)))
        drift.append({"t_ns": k * 10**10, "device": "reference", "ohm": ohm})
    result = {"accuracy": 96.7, "baseline_accuracy": 97.3, "split": "validation", "accuracies": [96.7] * 5}
    result |= {"gradient_cosine": 0.994, "dead": ["neurons[3]"], "stuck": [], "ledger": {"reads": 123456}}
    session.document("result/iris-afd", result)


def _gradients(session):
    columns = {"neuron": Column("int64"), "amperes": Column(unit="A")}
    columns |= {"device_slope": Column(unit="ohm"), "reference_slope": Column(unit="ohm")}
    rows = session.stream("train/iris-afd/gradients", columns, {})
    for cell in range(4):
        amperes = np.linspace(20e-6, 40e-6, 21)
        for k, (i, ohm) in enumerate(zip(amperes, slope(neuron(cell), amperes), strict=True)):
            device = float(ohm) + 300 * float(noise.normal(2, 9, cell, k))
            rows.append({"neuron": cell, "amperes": i, "device_slope": device, "reference_slope": float(ohm)})

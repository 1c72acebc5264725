"""Procedures: measurements as PyMeasure classes, run on a bench and analysed from the record."""

from labtrain.procedures.demand import Demand, terminal_of
from labtrain.procedures.listing import describe_protocols
from labtrain.procedures.parameters import describe, read_settings
from labtrain.procedures.procedure import DEVICE, DeviceProcedure, Rows, distinct, select
from labtrain.procedures.runner import ProcedureResult, plan_procedure, run_procedure

__all__ = [
    "DEVICE",
    "Demand",
    "DeviceProcedure",
    "ProcedureResult",
    "Rows",
    "describe",
    "describe_protocols",
    "distinct",
    "plan_procedure",
    "read_settings",
    "run_procedure",
    "select",
    "terminal_of",
]

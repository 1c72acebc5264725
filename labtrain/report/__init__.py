"""The report: one HTML page drawn from a recording."""

from labtrain.report.page import render, write_report

__all__ = ["render", "write_report"]

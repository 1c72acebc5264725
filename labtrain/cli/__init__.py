"""The command line: one program, ``labtrain``."""

from labtrain.cli.app import main

__all__ = ["main"]

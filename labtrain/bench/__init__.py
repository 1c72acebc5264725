"""The bench: a validated file opened as instruments, wiring, limits and devices.

Names are those of ``__init__.pyi``, loaded when they are asked for: reading a bench file needs neither
PyMeasure nor PyVISA.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

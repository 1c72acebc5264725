"""Twins: what is believed about devices, fitted from recorded measurements only.

Names are those of ``__init__.pyi``, loaded when they are asked for: a bench without twins needs neither
lmfit nor SciPy's statistics.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

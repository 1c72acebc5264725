"""The record of one run: written as a journal, sealed into one HDF5 file, read, recovered, replayed.

Names are those of ``__init__.pyi``, loaded when they are asked for: a bus without a session does not import
HDF5.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

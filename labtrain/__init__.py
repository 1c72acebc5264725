"""labtrain: lab instrument control and device-in-the-loop training.

The public names (those of ``__init__.pyi``) load on first use, so ``import labtrain`` is quick and
``labtrain --help`` imports neither torch nor matplotlib.
"""

from __future__ import annotations

import lazy_loader

__version__ = "0.1.0"

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
__all__ += ["__version__"]

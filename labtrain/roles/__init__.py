"""The bench's instruments as everybody above the drivers sees them: checked, final, recorded.

Names are those of ``__init__.pyi``, loaded when they are asked for: flags need no PyMeasure.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

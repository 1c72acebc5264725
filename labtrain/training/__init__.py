"""Training with devices in the loop; the only home of torch.

Layers, estimators and recipes are ordinary ``torch.nn.Module``s, plain objects
and one loop that reads top to bottom. Names are those of ``__init__.pyi``, loaded when they are
asked for: listing recipes does not import torch.
"""

from __future__ import annotations

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)

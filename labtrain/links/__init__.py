"""How bytes reach an instrument; nothing here knows what they mean.

:class:`VisaLink` and :class:`SerialLink` import their libraries, so they are loaded when asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from labtrain.links.in_process import InProcessLink
from labtrain.links.link import Link

if TYPE_CHECKING:
    from labtrain.links.serial import SerialLink
    from labtrain.links.visa import VisaLink

__all__ = ["InProcessLink", "Link", "SerialLink", "VisaLink"]


def __getattr__(name: str) -> Any:
    if name == "VisaLink":
        from labtrain.links.visa import VisaLink

        return VisaLink
    if name == "SerialLink":
        from labtrain.links.serial import SerialLink

        return SerialLink
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

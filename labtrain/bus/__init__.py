"""The bus: one order over all links of a bench, one lock, one record."""

from labtrain.bus.adapter import BusAdapter
from labtrain.bus.bus import Bus
from labtrain.bus.clock import RecordedClock
from labtrain.bus.port import Port

__all__ = ["Bus", "BusAdapter", "Port", "RecordedClock"]

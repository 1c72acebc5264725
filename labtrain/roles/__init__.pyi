from .digitizer import Digitizer as Digitizer, Trace as Trace
from .envelope import (
    Envelope as Envelope,
    FixedEnvelope as FixedEnvelope,
    OpenGate as OpenGate,
    RouteGate as RouteGate,
)
from .flags import Flag as Flag
from .pair_sweep import sweep_together as sweep_together
from .pulse_generator import PulseGenerator as PulseGenerator
from .readings import SourceReading as SourceReading, Sweep as Sweep
from .sensor import Sensor as Sensor
from .source_meter import SourceMeter as SourceMeter
from .source_state import SourceState as SourceState
from .spec import DriverSpec as DriverSpec
from .switch_matrix import SwitchMatrix as SwitchMatrix

from .bench import Bench as Bench
from .checking import check_bench as check_bench
from .connecting import (
    Connector as Connector,
    LiveConnector as LiveConnector,
    ReplayConnector as ReplayConnector,
)
from .contact import (
    Contact as Contact,
    contact_amperes as contact_amperes,
    contact_volts as contact_volts,
    slope_ohm as slope_ohm,
)
from .describing import describe_plan as describe_plan
from .far_bench import FarBench as FarBench
from .handing_over import HandoverConnector as HandoverConnector
from .locating import (
    bench_names as bench_names,
    locate_bench as locate_bench,
    state_directory as state_directory,
)
from .off import bench_off as bench_off
from .planning import BenchSetup as BenchSetup, read_plan as read_plan, read_setup as read_setup
from .pulse_path import Pulse as Pulse, PulsePath as PulsePath
from .reading import BenchSource as BenchSource, read_source as read_source
from .rests import Rests as Rests
from .selecting import select_devices as select_devices
from .self_contained import bench_bytes as bench_bytes
from .serving import serve_bench as serve_bench
from .wired import roles_at_terminals as roles_at_terminals

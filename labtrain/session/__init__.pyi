from .annotation import annotate as annotate
from .exchanges import Exchange as Exchange
from .migration import migrate as migrate
from .provenance import register_provenance as register_provenance
from .record_end import RecordEnds as RecordEnds
from .recording import Recording as Recording, Rows as Rows
from .recovery import Recovered as Recovered, recover as recover
from .replay import Replay as Replay, ReplayReport as ReplayReport
from .resume import Resume as Resume
from .session import Session as Session
from .sink import Column as Column, NullSink as NullSink, RowStream as RowStream, Sink as Sink
from .tail import Record as Record, Tail as Tail
from .transactions import Transactions as Transactions

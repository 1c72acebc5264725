"""Where the record of an interrupted run ends."""

from __future__ import annotations


class RecordEnds(KeyboardInterrupt):
    """The re-run has come to the point at which the recorded run was interrupted.

    It unwinds a replay as the interrupt unwound the run; a resumed run goes live here.
    """

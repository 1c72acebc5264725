"""A process that serves a bench's simulated instruments on loopback: `python bench_server.py FILE`."""

from __future__ import annotations

import json
import sys
import time

from labtrain.bench import serve_bench

with serve_bench(sys.argv[1]) as instruments:
    print(json.dumps(instruments), flush=True)
    sys.stdin.readline()  # until the parent closes the pipe
    time.sleep(0)

"""``labtrain bench check``, ``show``, ``off`` and ``serve``."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from labtrain.cli.outcome import JsonFlag, ending, print_line, shown
from labtrain.cli.strict_json import dumps

BenchArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="A bench file, or a shipped bench's name.")
]


def check(file: BenchArgument, as_json: JsonFlag = False) -> None:
    """Validate a bench file, connect, read *IDN?; change no output. All problems in one pass.

    Example: labtrain bench check demo
    """
    with ending(as_json) as end:
        from labtrain.bench import check_bench

        found = check_bench(file)
        lines = [
            f"[green]ok[/] {name}: {item['idn']}"
            for name, item in found["instruments"].items()
            if item.get("idn")
        ]
        lines += [
            f"[red]problem[/] {_place(problem)}{problem['message']}" + _remedy(problem)
            for problem in found["problems"]
        ]
        code = 0 if found["ok"] else found.get("exit_code", 2)
        end.with_(
            {key: value for key, value in found.items() if key != "exit_code"},
            "\n".join(lines),
            exit_code=code,
        )


def _place(problem: dict[str, Any]) -> str:
    place = str(problem.get("file") or "")
    place += f":{problem['line']}" if problem.get("line") else ""
    place += f" [{problem['key']}]" if problem.get("key") else ""
    return f"{place}: ".replace("[", "\\[") if place else ""


def _remedy(problem: dict[str, Any]) -> str:
    return f" ({problem['remedy']})" if problem.get("remedy") else ""


def show(file: BenchArgument, as_json: JsonFlag = False) -> None:
    """Show a bench file's instruments, wiring, devices and limits; opens nothing.

    Example: labtrain bench show demo
    """
    with ending(as_json) as end:
        from labtrain.bench import describe_plan, locate_bench, read_plan
        from labtrain.cli.bench_picture import bench_tables

        described = describe_plan(read_plan(locate_bench(file)))
        end.with_({"ok": True, "problems": [], **described}, bench_tables(described))


def off(file: BenchArgument, as_json: JsonFlag = False) -> None:
    """Bring a bench to its safe state now, even while another program holds it.

    Example: labtrain bench off my-bench.toml
    """
    with ending(as_json) as end:
        from labtrain.bench import bench_off

        done = bench_off(file)
        lines = [f"{name}: {shown(state)}" for name, state in done["instruments"].items()]
        end.with_(done, "\n".join(lines), exit_code=0 if done["ok"] else 3)


def serve(
    file: BenchArgument,
    host: Annotated[str, typer.Option("--host", help="Loopback only unless given.")] = "127.0.0.1",
    clock: Annotated[str, typer.Option("--clock", help="real or virtual.")] = "real",
    as_json: JsonFlag = False,
) -> None:
    """Run a bench file's simulated instruments for any client, until Ctrl-C or SIGTERM.

    Example: labtrain bench serve demo --clock virtual
    """
    with ending(as_json):
        from labtrain.bench import serve_bench

        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        with serve_bench(file, host=host, clock=clock) as instruments:
            if as_json:
                print_line(dumps({"instruments": instruments}))
            else:
                for name, item in instruments.items():
                    print_line(f"{name}  {item['model']}  {item['resource']}")
            while not stop.wait(0.2):
                pass

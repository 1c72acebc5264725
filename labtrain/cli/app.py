"""The program itself: its commands, and what a mistyped one prints."""

from __future__ import annotations

import sys

import typer
from typer.exceptions import TyperException

from labtrain.cli import (
    bench_commands,
    demo,
    doctor,
    exporting,
    fitting,
    gui,
    replaying,
    resuming,
    running,
    session_commands,
    studying,
    training,
    watching,
)
from labtrain.cli.outcome import say_error
from labtrain.errors import UsageError

app = typer.Typer(
    name="labtrain",
    help="Instrument control and device-in-the-loop training: characterise, train, record, replay.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
)
bench = typer.Typer(help="Check, show, serve and switch off a bench.", no_args_is_help=True)
protocol = typer.Typer(help="The measurements there are.", no_args_is_help=True)
recipe = typer.Typer(help="The training recipes there are.", no_args_is_help=True)
session = typer.Typer(help="Look at, annotate, export and rescue recorded sessions.", no_args_is_help=True)

app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.add_typer(bench, name="bench")
bench.command("check")(bench_commands.check)
bench.command("show")(bench_commands.show)
bench.command("off")(bench_commands.off)
bench.command("serve")(bench_commands.serve)
app.add_typer(protocol, name="protocol")
protocol.command("list")(running.list_protocols)
app.add_typer(recipe, name="recipe")
recipe.command("list")(training.list_recipes)
app.command("run")(running.run)
app.command("gui")(gui.gui)
app.command("fit")(fitting.fit)
app.command("train")(training.train)
app.command("study")(studying.study)
app.command("replay")(replaying.replay)
app.command("resume")(resuming.resume)
app.add_typer(session, name="session")
session.command("list")(session_commands.list_sessions)
session.command("inspect")(session_commands.inspect)
session.command("note")(exporting.note)
session.command("export")(exporting.export)
session.command("watch")(watching.watch)
session.command("recover")(session_commands.recover)
session.command("report")(session_commands.report)


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    try:
        code = app(standalone_mode=False)
    except TyperException as error:
        usage = UsageError(error.format_message(), remedy="see labtrain --help, or the command's own --help")
        say_error(usage, usage.exit_code, "--json" in sys.argv)
        sys.exit(usage.exit_code)
    except typer.Abort:
        sys.exit(130)
    sys.exit(code if isinstance(code, int) else 0)

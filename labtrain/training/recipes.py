"""A recipe: a named training with declared settings, found by entry point."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labtrain import entry_points
from labtrain.errors import UsageError
from labtrain.progress import Progress, SilentProgress
from labtrain.session.sink import NullSink, Sink
from labtrain.training.processes import Alone, Processes
from labtrain.training.settings import Setting, read_settings

if TYPE_CHECKING:
    from labtrain.bench import Bench, FarBench


RECORD = Setting(
    "record",
    "choice",
    "digest",
    "of arrays without a bench: of every call its address and digests, or every call in full",
    choices=("digest", "full"),
)
CHECKPOINT_EVERY = Setting(
    "checkpoint_every",
    "integer",
    5,
    "epochs between states in the record to go on from, and one at the end (0: none)",
    low=0,
    high=100_000,
)
COMMON = (RECORD, CHECKPOINT_EVERY)
"""Settings of every recipe that has none of that name."""


@dataclass(frozen=True)
class Context:
    """What a recipe runs in.

    Attributes
    ----------
    bench
        An open bench, here or on another computer, or None for directly simulated arrays.
    sink
        Where rows, arrays and documents go.
    settings
        By name; text or values. :meth:`Recipe.run` reads them again, which is harmless.
    seed
        Draws weights, folds and batches (the bench file's seed draws the chip).
    data_dir
        Where data sets are looked for first.
    device
        The bench's array to train with, or None for the recipe's own default.
    baseline
        Whether the conventional network is trained beside it.
    twin
        The path of a twin file, or None.
    processes
        Those that share the batches of the training.
    """

    bench: Bench | FarBench | None = None
    sink: Sink = field(default_factory=NullSink)
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    progress: Progress = field(default_factory=SilentProgress)
    data_dir: Path | None = None
    device: str | None = None
    baseline: bool = True
    twin: str | None = None
    processes: Processes = field(default_factory=Alone)

    @property
    def keeps_digests(self) -> bool:
        """Whether of calls of directly simulated arrays digests are recorded, not the calls in full."""
        return bool(self.settings.get(RECORD.name, RECORD.default) == "digest")


@dataclass(frozen=True)
class Recipe:
    """A training that the command line can run by name.

    Attributes
    ----------
    doc
        One sentence.
    body
        ``body(context) -> result``; the context's settings are then complete and checked.
    needs_bench
        Whether it cannot run on directly simulated arrays.
    shares_batches
        Whether several processes can train it together.
    """

    name: str
    doc: str
    settings: tuple[Setting, ...]
    body: Callable[[Context], dict[str, Any]]
    needs_bench: bool = False
    shares_batches: bool = False

    def __post_init__(self) -> None:
        """Add the common settings."""
        own = {setting.name for setting in self.settings}
        common = tuple(setting for setting in COMMON if setting.name not in own)
        object.__setattr__(self, "settings", (*self.settings, *common))

    def read_settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Complete and check settings.

        Raises
        ------
        UsageError
            For an unknown name or a value that is not allowed.
        """
        return read_settings(self.settings, given, recipe=self.name)

    def run(self, context: Context) -> dict[str, Any]:
        """Train; return the result's fields.

        Raises
        ------
        UsageError
            For bad settings, too few healthy devices, bad data, or several processes where one is needed:
            before anything is trained.
        """
        complete = replace(context, settings=self.read_settings(context.settings))
        if complete.processes.count > 1:
            self._require_shareable(complete)
        return self.body(complete)

    def _require_shareable(self, context: Context) -> None:
        """Refuse what several processes cannot train together."""
        reasons = {
            "several processes cannot train with a bench: it has one master": context.bench is not None,
            f"several processes cannot train {self.name}": not self.shares_batches,
            "record=full would hold one process's part of every batch": not context.keeps_digests,
        }
        for reason, holds in reasons.items():
            if holds:
                raise UsageError(reason, remedy="train with one process, without torchrun", key="processes")

    def describe(self) -> dict[str, Any]:
        """Plain data for ``recipe list``."""
        return {
            "name": self.name,
            "doc": self.doc,
            "needs_bench": self.needs_bench,
            "parameters": [setting.describe() for setting in self.settings],
        }


def describe_recipes() -> list[dict[str, Any]]:
    """Describe every registered recipe, sorted by name."""
    found = (
        entry_points.load(entry_points.RECIPES, name) for name in entry_points.names(entry_points.RECIPES)
    )
    return [recipe.describe() for recipe in found]

"""One fold of a recipe on a chip: trained from where it stood, every step and epoch noted."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labtrain.training.loop import Epoch, Step, Training
from labtrain.training.recipes import Context
from labtrain.training.records import TrainingRecord


def train_fold(
    context: Context,
    record: TrainingRecord,
    training: Training,
    beside: Sequence[Epoch],
    *,
    after_step: Callable[[Step], None] = lambda step: None,
    before_epoch_row: Callable[[], None] = lambda: None,
) -> list[Epoch]:
    """Make the steps left of ``training`` and note the weights at its end.

    Parameters
    ----------
    beside
        Epochs of the conventional network in the same fold; none where it was not asked for.
    after_step
        Called with each step, after it was noted.
    before_epoch_row
        Called at an epoch's end, before its row is noted.
    """
    k, network = training.k, training.network
    state = record.go_on(k)
    if state is not None:
        training.load_state_dict(state)
        context.progress.advance(len(training.history), "from its checkpoint")

    def noted(step: Step) -> None:
        record.step(k, step, network)
        after_step(step)

    def after_epoch(epoch: Epoch) -> None:
        before_epoch_row()
        record.epoch(k, epoch, beside[epoch.epoch] if beside else None)
        if training.schedule.keeps_state(epoch.epoch, context.settings["checkpoint_every"]):
            record.state(k, epoch.epoch, training.state_dict())
        context.progress.advance(note=f"{epoch.validation_accuracy:.1f} %")

    epochs = training.run(noted, after_epoch)
    record.checkpoint(k, network)
    return epochs

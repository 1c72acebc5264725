"""The recipe ``mnist-afd-distill``: a large conventional teacher, a small student of MTJ neuron pairs.

The student is trained twice from the same weights on the same batches: with the teacher and alone. The
baseline is a tanh network of the student's size with the same teacher.
"""

from __future__ import annotations

from typing import Any

import torch

from labtrain.clock import RealClock
from labtrain.training.afd.device_settings import DEVICE_SETTINGS
from labtrain.training.afd.device_training import DeviceTraining
from labtrain.training.afd.result import training_result
from labtrain.training.checkpoints import checkpoint, go_on
from labtrain.training.determinism import deterministic
from labtrain.training.distillation import Distillation, parameter_count, scores_of
from labtrain.training.image_run import IMAGE_SETTINGS, ImageRun
from labtrain.training.loop import Epoch, Schedule, Split, Training, accuracy, train
from labtrain.training.networks import tanh_perceptron
from labtrain.training.randomness import initialise
from labtrain.training.recipes import Context, Recipe
from labtrain.training.settings import Setting

TEACHER, STUDENT = 1, 0
"""Address the initial weights."""

SETTINGS = (
    Setting("hidden", "layers", (220,), "device neurons of the student's hidden layers", low=1, high=4096),
    Setting("teacher_hidden", "layers", (1024, 1024), "tanh units of the teacher", low=1, high=8192),
    Setting("epochs", "integer", 15, "the student's passes over the training images", low=1, high=10_000),
    Setting("teacher_epochs", "integer", 10, "the teacher's", low=1, high=10_000),
    Setting("batch_size", "integer", 128, "samples a step", low=1, high=60_000),
    Setting(
        "learning_rate",
        "quantity",
        0.003,
        "the student's at the first step; it falls to 2 %",
        low=1e-7,
        high=10,
    ),
    Setting("teacher_rate", "quantity", 0.001, "the teacher's", low=1e-7, high=10),
    Setting("temperature", "quantity", 3.0, "that softens both networks' scores", low=0.1, high=100),
    Setting("teacher_share", "quantity", 0.9, "of the loss that follows the teacher", low=0, high=1),
    *IMAGE_SETTINGS,
    *DEVICE_SETTINGS,
)


def run(context: Context) -> dict[str, object]:
    """Train teacher and students; the accuracy is the distilled student's at its last epoch."""
    with deterministic(threads=1):
        return _run(context)


def _run(context: Context) -> dict[str, object]:
    settings = context.settings
    images = ImageRun.prepare(context, RECIPE.name)
    split, last, sizes, schedule = images.split, images.last, images.sizes, images.schedule
    training = DeviceTraining.prepare(context, RECIPE.name, sizes, torch.float32)
    context.progress.start(f"train {RECIPE.name}", settings["teacher_epochs"] + 2 * schedule.epochs)
    teacher = _teacher(context, split, (sizes[0], *settings["teacher_hidden"], sizes[-1]))
    scores = scores_of(teacher, split.train_x)
    loss = Distillation(scores, split.train_y, settings["temperature"], settings["teacher_share"])

    beside, baseline = _tanh_student(context, sizes, split, schedule, loss, last)
    clock = RealClock()
    student, _ = training.run_fold(0, split, schedule, beside, k=STUDENT, criterion=loss)
    seconds = clock.now_ns() / 1e9
    reached = accuracy(student, *last)
    alone, _ = training.run_fold(1, split, schedule, [], k=STUDENT)
    more = _compared(teacher, student, reached, accuracy(alone, *last), accuracy(teacher, *last))
    return training_result(training, settings["split"], [reached], [baseline], seconds, more)


def _compared(
    teacher: torch.nn.Module, student: torch.nn.Module, reached: float, alone: float, taught: float
) -> dict[str, Any]:
    return {
        "teacher_accuracy": taught,
        "alone_accuracy": alone,
        "gain": reached - alone,
        "gap_to_teacher": taught - reached,
        "parameter_ratio": parameter_count(teacher) / parameter_count(student),
    }


def _teacher(context: Context, split: Split, sizes: tuple[int, ...]) -> torch.nn.Module:
    """Train the teacher conventionally."""
    settings = context.settings
    network, run = tanh_perceptron(sizes, torch.float32), f"train/{RECIPE.name}/teacher"
    kept = context.processes.of_first(go_on(context.sink, run))
    if kept is not None:
        network.load_state_dict(kept)
        context.progress.advance(settings["teacher_epochs"], "from its checkpoint")
        return network
    initialise(network, context.seed, TEACHER)
    schedule = Schedule(settings["teacher_epochs"], settings["batch_size"], settings["teacher_rate"])

    def after_epoch(epoch: Epoch) -> None:
        context.progress.advance(note=f"teacher: {epoch.told()}")

    train(
        network,
        split,
        schedule,
        seed=context.seed,
        k=TEACHER,
        processes=context.processes,
        after_epoch=after_epoch,
    )
    checkpoint(context.sink, run, "end", network.state_dict())
    return network


def _tanh_student(
    context: Context,
    sizes: tuple[int, ...],
    split: Split,
    schedule: Schedule,
    loss: Distillation,
    last: tuple[torch.Tensor, torch.Tensor],
) -> tuple[list[Epoch], float | None]:
    """Distil into a tanh network of the student's size, where a baseline is asked for."""
    if not context.baseline:
        return [], None
    network = tanh_perceptron(sizes, torch.float32)
    initialise(network, context.seed, STUDENT)
    training = Training(
        network,
        split,
        schedule,
        seed=context.seed,
        k=STUDENT,
        criterion=loss,
        processes=context.processes,
    )
    return training.run(), accuracy(network, *last)


RECIPE = Recipe(
    name="mnist-afd-distill",
    doc="a large tanh teacher, a small student of MTJ neuron pairs: with the teacher, and alone",
    settings=SETTINGS,
    body=run,
    shares_batches=True,
)

"""EaPU as a torch optimiser: everything that its users do with one."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable

import pytest
import torch
from torch import nn

from labtrain.errors import UsageError
from labtrain.training.eapu import Accumulator, EaPU, EveryStep, NoisyIncrements, WriteRule
from labtrain.training.eapu.records import note_histogram, write_ledger, writes_by_cell

INNERS: dict[str, Callable[[object], torch.optim.Optimizer]] = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, weight_decay=1e-3, nesterov=True),
    "adam": lambda p: torch.optim.Adam(p, lr=0.01),
    "adamw": lambda p: torch.optim.AdamW(p, lr=0.01),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=0.01),
}


def network() -> nn.Sequential:
    net = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3))
    with torch.no_grad():
        for index, parameter in enumerate(net.parameters()):
            parameter.copy_(torch.linspace(-0.5, 0.7 - 0.1 * index, parameter.numel()).view(parameter.shape))
    return net


def loss_of(net: nn.Module, k: int) -> torch.Tensor:
    x = torch.linspace(-1, 1, 20).view(4, 5).roll(k, 0)
    return nn.functional.cross_entropy(net(x), torch.tensor([0, 1, 2, 1]).roll(k))


def run(net: nn.Module, optimiser: torch.optim.Optimizer, steps: range, clip: bool = False) -> None:
    for k in steps:
        optimiser.zero_grad()
        loss_of(net, k).backward()
        if clip:
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
        optimiser.step()


@pytest.mark.parametrize("name", INNERS)
def test_ideal_devices_follow_the_inner_optimiser(name: str) -> None:
    plain, wrapped = network(), network()
    run(plain, INNERS[name](plain.parameters()), range(30), clip=True)
    optimiser = EaPU(INNERS[name](wrapped.parameters()), rule=EveryStep(), write_noise=0.0)
    run(wrapped, optimiser, range(30), clip=True)
    for one, other in zip(plain.parameters(), wrapped.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-5, atol=1e-6)


def test_biases_stay_digital_and_weights_move_by_whole_writes() -> None:
    net = network()
    before = copy.deepcopy(net.state_dict())
    optimiser = EaPU(torch.optim.SGD(net.parameters(), lr=1e-3), threshold=0.5, write_noise=0.0)
    run(net, optimiser, range(1))
    after = net.state_dict()
    for key in ("0.bias", "2.bias"):
        assert not torch.equal(before[key], after[key])
    for key in ("0.weight", "2.weight"):
        moved = (after[key] - before[key]).abs()
        assert torch.all((moved == 0) | ((moved - 0.5).abs() < 1e-6))


@pytest.mark.parametrize("name", INNERS)
def test_resumes_bit_for_bit_through_a_default_torch_load(name: str) -> None:
    def make(net: nn.Module) -> EaPU:
        cells = {p: NoisyIncrements(0.02, count_cells=True, from_copy=True) for p in net[0].parameters()}
        return EaPU(
            INNERS[name](net.named_parameters()), threshold=0.02, write_noise=0.02, cells=cells, seed=4
        )

    whole, first, second = network(), network(), network()
    uninterrupted = make(whole)
    run(whole, uninterrupted, range(12))
    optimiser = make(first)
    run(first, optimiser, range(6))
    file = io.BytesIO()
    torch.save({"net": first.state_dict(), "optimiser": optimiser.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file)
    resumed = make(second)
    second.load_state_dict(saved["net"])
    resumed.load_state_dict(saved["optimiser"])
    run(second, resumed, range(6, 12))
    for one, other in zip(whole.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)
    assert resumed.write_ratio() == uninterrupted.write_ratio() > 0


def test_schedulers_groups_and_late_groups_reach_the_inner_optimiser() -> None:
    net = network()
    inner = torch.optim.SGD([{"params": net[0].parameters(), "lr": 0.0}], lr=0.1)
    optimiser = EaPU(inner, write_noise=0.0)
    optimiser.add_param_group({"params": net[2].parameters()})
    assert set(optimiser.cells) == {"0", "2"}
    scheduler = torch.optim.lr_scheduler.StepLR(optimiser, 1, gamma=0.5)
    before = copy.deepcopy(net.state_dict())
    run(net, optimiser, range(40))
    scheduler.step()
    assert inner.param_groups[1]["lr"] == pytest.approx(0.05)
    assert torch.equal(net.state_dict()["0.weight"], before["0.weight"])
    assert not torch.equal(net.state_dict()["2.weight"], before["2.weight"])


@pytest.mark.parametrize("edit", ["in place", "loaded", "replaced"])
def test_weights_changed_between_steps_are_taken_as_they_are(edit: str) -> None:
    net = network()
    optimiser = EaPU(torch.optim.SGD(net.parameters(), lr=1e-4), threshold=0.5, write_noise=0.0)
    run(net, optimiser, range(3))
    wanted = torch.full_like(net[0].weight, 0.25)
    if edit == "in place":
        with torch.no_grad():
            net[0].weight.copy_(wanted)
    elif edit == "loaded":
        net.load_state_dict({**net.state_dict(), "0.weight": wanted})
    else:
        net[0].weight.data = wanted.clone()
    run(net, optimiser, range(3, 4))
    off = (net[0].weight.detach() - wanted).abs()
    assert torch.all((off == 0) | ((off - 0.5).abs() < 1e-6))
    assert float((off == 0).float().mean()) > 0.9, "steps are a thousandth of the threshold"


def test_a_closure_is_called_by_the_inner_optimiser() -> None:
    net = network()
    optimiser = EaPU(torch.optim.LBFGS(net.parameters(), lr=0.5, max_iter=5), threshold=1e-4, write_noise=0.0)
    calls = []

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        calls.append(1)
        loss = loss_of(net, 0)
        loss.backward()
        return loss

    first = float(optimiser.step(closure).detach())
    assert len(calls) > 1
    assert float(loss_of(net, 0).detach()) < first


def test_a_gradient_scaler_steps_it() -> None:
    net = network()
    optimiser = EaPU(torch.optim.SGD(net.parameters(), lr=0.1), write_noise=0.0)
    scaler = torch.amp.GradScaler("cpu")
    scaler.scale(loss_of(net, 0)).backward()
    scaler.unscale_(optimiser)
    scaler.step(optimiser)
    scaler.update()
    assert optimiser.updates == 1


def test_writes_are_counted_once_everywhere() -> None:
    net = network()
    cells = {net[0].weight: NoisyIncrements(0.02, count_cells=True)}
    optimiser = EaPU(INNERS["adam"](net.named_parameters()), threshold=0.02, write_noise=0.02, cells=cells)
    by_step = 0
    for k in range(20):
        before = net[0].weight.detach().clone()
        run(net, optimiser, range(k, k + 1))
        changed = int((net[0].weight != before).sum())
        assert changed == optimiser.last_writes["0.weight"]
        by_step += changed
    own = optimiser.cells["0.weight"]
    assert own.written == by_step == int(own.writes_by_cell.sum())
    both = own.written + optimiser.cells["2.weight"].written
    assert optimiser.write_ratio() == pytest.approx(both / (20 * (35 + 21)))


@pytest.mark.parametrize("rule", [None, Accumulator(0.02)], ids=["probabilistic", "mixed-precision"])
def test_a_copy_goes_on_alike(rule: WriteRule | None) -> None:
    """Network and optimiser copied together part from the original in nothing."""
    net = network()
    optimiser = EaPU(INNERS["adam"](net.parameters()), rule=rule, threshold=0.02, write_noise=0.02)
    run(net, optimiser, range(3))
    twin_net, twin_optimiser = copy.deepcopy((net, optimiser))
    run(net, optimiser, range(3, 6))
    run(twin_net, twin_optimiser, range(3, 6))
    for one, other in zip(net.parameters(), twin_net.parameters(), strict=True):
        assert torch.equal(one, other)


def test_the_state_of_another_optimiser_is_refused() -> None:
    net = network()
    optimiser = EaPU(INNERS["sgd"](net.parameters()))
    with pytest.raises(UsageError, match="no devices"):
        optimiser.load_state_dict(INNERS["sgd"](net.parameters()).state_dict())
    other = EaPU(INNERS["sgd"](net.parameters()), rule=EveryStep())
    with pytest.raises(UsageError, match="noise-only"):
        optimiser.load_state_dict(other.state_dict())


def test_nothing_on_devices_is_refused() -> None:
    with pytest.raises(UsageError, match="no tensor"):
        EaPU(torch.optim.SGD([nn.Parameter(torch.zeros(3))], lr=0.1))


def test_the_ledger_and_the_histogram_count_what_the_cells_count() -> None:
    net, rows = network(), []
    cells = {net[0].weight: NoisyIncrements(0.02, count_cells=True)}
    optimiser = EaPU(INNERS["adam"](net.named_parameters()), threshold=0.02, cells=cells)
    run(net, optimiser, range(30))
    ledger = write_ledger(optimiser, 1e-10, endurance=100.0)
    counts = writes_by_cell(optimiser)["0.weight"]
    assert ledger["endurance_left"] == pytest.approx(1 - counts.max() / 100)
    assert ledger["energy_joules"] == pytest.approx(1e-10 * ledger["writes"])
    assert ledger["rule_energy_joules"] == pytest.approx(2.5e-12 * 30 * (35 + 21))

    class Kept:
        def stream(self, *about: object) -> list[dict[str, int]]:
            return rows

    note_histogram(Kept(), "mnist-eapu", optimiser)
    assert sum(row["cells"] for row in rows) == 35
    for row in rows:
        assert row["cells"] == ((counts >= row["fewest"]) & (counts <= row["most"])).sum()

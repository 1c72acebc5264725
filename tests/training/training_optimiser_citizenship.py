"""What every optimiser of labtrain owes torch: ``OPTIMISER_CHECKS``, each called with ``make(parameters)``.

``make`` gives a fresh optimiser of some learning rate over parameters or parameter groups. Optimisers of
later methods add one line to their tests.
"""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

Make = Callable[[Any], torch.optim.Optimizer]


def network(dtype: torch.dtype = torch.float64) -> nn.Sequential:
    net = nn.Sequential(nn.Linear(5, 7), nn.Tanh(), nn.Linear(7, 3)).to(dtype)
    with torch.no_grad():
        for index, parameter in enumerate(net.parameters()):
            values = torch.linspace(-0.5, 0.7 - 0.1 * index, parameter.numel(), dtype=dtype)
            parameter.copy_(values.view(parameter.shape))
    return net


def loss_of(net: nn.Module) -> torch.Tensor:
    dtype = next(net.parameters()).dtype
    x = torch.linspace(-1, 1, 20, dtype=dtype).view(4, 5)
    return nn.functional.cross_entropy(net(x), torch.tensor([0, 1, 2, 1]))


def steps(net: nn.Module, optimiser: torch.optim.Optimizer, count: int) -> None:
    for _ in range(count):
        optimiser.zero_grad()
        loss_of(net).backward()
        optimiser.step()


def weights(net: nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten() for p in net.parameters()])


def check_dtypes(make: Make) -> None:
    for dtype in (torch.float64, torch.float32):
        net = network(dtype)
        before = weights(net)
        steps(net, make(net.parameters()), 3)
        assert weights(net).dtype == dtype and not torch.equal(weights(net), before)
        assert torch.isfinite(weights(net)).all()


def check_resumes_through_a_default_load(make: Make) -> None:
    """Saved and loaded with torch's defaults it goes on bit for bit."""
    first, second = network(), network()
    one = make(first.parameters())
    steps(first, one, 4)
    file = io.BytesIO()
    torch.save({"net": first.state_dict(), "optimiser": one.state_dict()}, file)
    file.seek(0)
    kept = torch.load(file)
    second.load_state_dict(kept["net"])
    other = make(second.parameters())
    other.load_state_dict(kept["optimiser"])
    steps(first, one, 4)
    steps(second, other, 4)
    assert torch.equal(weights(first), weights(second))


def check_a_copy_goes_on_alike(make: Make) -> None:
    net = network()
    optimiser = make(net.parameters())
    steps(net, optimiser, 3)
    twin, copied = copy.deepcopy((net, optimiser))
    steps(net, optimiser, 3)
    steps(twin, copied, 3)
    assert torch.equal(weights(net), weights(twin))


def check_parameter_groups_and_late_ones(make: Make) -> None:
    net = network()
    optimiser = make([{"params": net[0].parameters(), "lr": 0.0, "weight_decay": 0.0}])
    optimiser.add_param_group({"params": list(net[2].parameters())})
    before = [p.detach().clone() for p in net[0].parameters()], weights(net[2])
    steps(net, optimiser, 2)
    assert len(optimiser.param_groups) == 2
    assert torch.equal(net[0].bias, before[0][1])  # digital, at rate 0: untouched
    assert not torch.equal(weights(net[2]), before[1])


def check_parameters_without_gradient_are_left_alone(make: Make) -> None:
    net = network()
    optimiser = make(net.parameters())
    optimiser.zero_grad()
    loss_of(net).backward()
    net[2].bias.grad = None
    before = net[2].bias.detach().clone()
    optimiser.step()
    assert torch.equal(net[2].bias, before)


def check_closures_and_hooks(make: Make) -> None:
    net, calls = network(), []
    optimiser = make(net.parameters())
    optimiser.register_step_pre_hook(lambda *_: calls.append("pre"))
    optimiser.register_step_post_hook(lambda *_: calls.append("post"))

    def closure() -> torch.Tensor:
        calls.append("closure")
        optimiser.zero_grad()
        loss = loss_of(net)
        loss.backward()
        return loss

    expected = float(loss_of(net).detach())
    loss = optimiser.step(closure)
    assert float(loss.detach()) == expected and calls == ["pre", "closure", "post"]


def check_schedulers(make: Make) -> None:
    net = network()
    optimiser = make(net.parameters())
    rate = optimiser.param_groups[0]["lr"]
    schedule = torch.optim.lr_scheduler.StepLR(optimiser, step_size=1, gamma=0.1)
    steps(net, optimiser, 1)
    schedule.step()
    assert optimiser.param_groups[0]["lr"] == rate * 0.1


def check_weights_stay_leaves(make: Make) -> None:
    """A step is in place and leaves no graph behind."""
    net = network()
    places = [p.data_ptr() for p in net.parameters()]
    steps(net, make(net.parameters()), 2)
    assert [p.data_ptr() for p in net.parameters()] == places
    assert all(p.is_leaf and p.requires_grad and p.grad_fn is None for p in net.parameters())


def check_same_seed_same_steps(make: Make) -> None:
    """Also with torch's generator disturbed in between: draws are addressed."""
    first, second = network(), network()
    steps(first, make(first.parameters()), 4)
    torch.manual_seed(1234)
    steps(second, make(second.parameters()), 4)
    assert torch.equal(weights(first), weights(second))


def check_gradients_are_cleared_as_asked(make: Make) -> None:
    net = network()
    optimiser = make(net.parameters())
    loss_of(net).backward()
    optimiser.zero_grad(set_to_none=False)
    assert all(p.grad is not None and not p.grad.any() for p in net.parameters())
    optimiser.zero_grad()
    assert all(p.grad is None for p in net.parameters())


OPTIMISER_CHECKS = [check for name, check in dict(globals()).items() if name.startswith("check_")]

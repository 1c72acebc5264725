"""What every layer of labtrain owes torch, as one function for any layer.

``check_citizenship(make)`` calls ``make()`` for a fresh layer of ``WIDTH`` neurons whose
``array`` counts its reads in ``calls``. Layers of later methods add one line to their tests.
"""

from __future__ import annotations

import copy
import io
import warnings
from collections.abc import Callable, Iterator

import pytest
import torch
from torch import nn

from labtrain.errors import UsageError

WIDTH = 4
Make = Callable[[], nn.Module]


def network(layer: nn.Module, dtype: torch.dtype = torch.float64) -> nn.Sequential:
    net = nn.Sequential(nn.Linear(3, WIDTH), layer, nn.Linear(WIDTH, 2)).to(dtype)
    with torch.no_grad():
        for index, parameter in enumerate(net.parameters()):
            parameter.copy_(
                torch.linspace(-0.7, 0.9 - 0.1 * index, parameter.numel()).reshape(parameter.shape)
            )
    return net


def inputs(dtype: torch.dtype = torch.float64, batch: int = 6) -> torch.Tensor:
    return torch.linspace(-1.5, 1.5, 3 * batch, dtype=dtype).reshape(batch, 3)


def check_dtypes(make: Make) -> None:
    for dtype in (torch.float64, torch.float32, torch.bfloat16):
        net = network(make(), dtype)
        out = net(inputs(dtype))
        out.sum().backward()
        assert out.dtype == dtype
        assert all(p.grad is not None and p.grad.dtype == dtype for p in net.parameters())


def check_autocast(make: Make) -> None:
    net = network(make(), torch.float32)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = net(inputs(torch.float32))
    out.float().sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def check_leading_dimensions(make: Make) -> None:
    z = torch.linspace(-1, 1, 2 * 3 * WIDTH, dtype=torch.float64).reshape(2, 3, WIDTH)
    assert make()(z).shape == z.shape


def check_deepcopy_shares_hardware(make: Make) -> None:
    layer = make()
    twin = copy.deepcopy(layer)
    assert twin.array is layer.array
    before = len(layer.array.calls)
    twin(torch.zeros(2, WIDTH, dtype=torch.float64))
    assert len(layer.array.calls) == before + 1


def check_state(make: Make) -> None:
    """Saved and loaded with torch's defaults, a network goes on bit for bit, device counters included."""
    first, second = network(make()), network(make())
    step(first, inputs())
    file = io.BytesIO()
    torch.save(first.state_dict(), file)
    file.seek(0)
    second.load_state_dict(torch.load(file))
    step(first, inputs())
    step(second, inputs())
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one, other)


def step(net: nn.Module, x: torch.Tensor) -> None:
    optimiser = torch.optim.SGD(net.parameters(), lr=0.1)
    optimiser.zero_grad()
    net(x).square().sum().backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimiser.step()


def check_accumulation(make: Make) -> None:
    """Two halves accumulate to the whole: noise is addressed, so the readings are the same ones."""
    whole, halves = network(make()), network(make())
    whole(inputs()).square().sum().backward()
    for half in inputs().chunk(2):
        halves(half).square().sum().backward()
    for one, other in zip(whole.parameters(), halves.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-10, atol=1e-12)


def check_parameter_groups(make: Make) -> None:
    net = network(make())
    groups = [{"params": net[0].parameters(), "lr": 0.0}, {"params": net[2].parameters(), "lr": 0.1}]
    optimiser = torch.optim.Adam(groups)
    before = copy.deepcopy([p.detach() for p in net.parameters()])
    net(inputs()).square().sum().backward()
    optimiser.step()
    moved = [not torch.equal(old, new) for old, new in zip(before, net.parameters(), strict=True)]
    assert moved == [False, False, True, True]


def check_no_second_read(make: Make) -> None:
    layer = make()
    net = network(layer)
    with torch.no_grad():
        net(inputs())
    net.eval()
    net(inputs())
    net.train()
    layer(torch.zeros(5, WIDTH, dtype=torch.float64))  # no gradient is wanted of a constant
    assert [verb for verb, _ in layer.array.calls] == ["respond"] * 3
    assert layer.ledger.reads == (6 + 6 + 5) * WIDTH


def check_eval_gradient_is_refused(make: Make) -> None:
    net = network(make()).eval()
    with pytest.raises(UsageError, match="eval mode"):
        net(inputs()).sum().backward()


def check_double_backward_is_refused(make: Make) -> None:
    net = network(make())
    x = inputs().requires_grad_()
    (gradient,) = torch.autograd.grad(net(x).square().sum(), x, create_graph=True)
    with pytest.raises(UsageError, match="double backward"):
        gradient.square().sum().backward()


def check_retained_graph_reads_once(make: Make) -> None:
    layer = make()
    out = network(layer)(inputs()).sum()
    out.backward(retain_graph=True)
    before = len(layer.array.calls)
    out.backward()
    assert len(layer.array.calls) == before


def check_recomputation(make: Make) -> None:
    """Checkpointed segments read again when recomputed, and give finite gradients."""
    net = network(make())
    out = torch.utils.checkpoint.checkpoint(net, inputs().requires_grad_(), use_reentrant=False)
    out.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in net.parameters())


def check_lbfgs(make: Make) -> None:
    net = network(make())
    optimiser = torch.optim.LBFGS(net.parameters(), lr=0.1, max_iter=4)

    def closure() -> torch.Tensor:
        optimiser.zero_grad()
        loss = net(inputs()).square().sum()
        loss.backward()
        return loss

    first = float(closure().detach())
    optimiser.step(closure)
    with torch.no_grad():
        assert float(net(inputs()).square().sum()) < first


def check_functional_call(make: Make) -> None:
    """Other weights for one call, as meta-learning uses them: the same answer, gradients to those weights."""
    net, other = network(make()), network(make())
    weights = {name: p.detach().clone().requires_grad_() for name, p in net.named_parameters()}
    out = torch.func.functional_call(net, weights, (inputs(),))
    out.square().sum().backward()
    assert torch.equal(out, other(inputs()))
    assert all(torch.isfinite(w.grad).all() for w in weights.values())
    assert all(p.grad is None for p in net.parameters())


def check_vmap_is_refused_before_anything_is_driven(make: Make) -> None:
    """A device answers once for a batch: per-sample transforms have no meaning for it."""
    layer = make()
    z = torch.zeros(3, 2, WIDTH, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="vmap|functorch"):
        torch.vmap(layer)(z)
    with pytest.raises(RuntimeError, match="vmap|functorch|setup_context"):
        torch.func.grad(lambda z: layer(z).sum())(z[0])
    assert layer.array.calls == []


def check_inference_mode(make: Make) -> None:
    layer = make()
    with torch.inference_mode():
        out = network(layer)(inputs())
    assert out.is_inference() and [verb for verb, _ in layer.array.calls] == ["respond"]


def check_deterministic_algorithms(make: Make) -> None:
    before = torch.are_deterministic_algorithms_enabled()
    torch.use_deterministic_algorithms(True)
    try:
        first, second = network(make()), network(make())
        for net in (first, second):
            net(inputs()).square().sum().backward()
    finally:
        torch.use_deterministic_algorithms(before)
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


def check_compiled(make: Make) -> None:
    """``torch.compile`` breaks its graph at the devices or traces them: the same answers and gradients."""
    plain, compiled = network(make()), network(make())
    torch.compiler.reset()
    traced = torch.compile(compiled, backend="eager")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of what its own tracer does
        for net in (plain, traced):
            net(inputs()).square().sum().backward()
    for one, other in zip(plain.parameters(), compiled.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-12, atol=1e-14)
    calls = [net[1].array.calls for net in (plain, compiled)]
    assert calls[0] == calls[1]


def check_a_state_without_the_devices_is_refused(make: Make) -> None:
    layer = make()
    state = network(layer).state_dict()
    bare = {name: value for name, value in state.items() if "extra_state" not in name}
    assert len(bare) == len(state) - 1
    with pytest.raises(RuntimeError, match="_extra_state"):
        network(make()).load_state_dict(bare)
    missing, unexpected = network(make()).load_state_dict(bare, strict=False)
    assert len(missing) == 1 and not unexpected


def check_hooks_and_modes(make: Make) -> None:
    """Hooks see activations and gradients once; train and eval reach the layer; nothing becomes trainable."""
    layer, seen = make(), []
    net = network(layer)
    layer.register_forward_hook(lambda module, given, out: seen.append(tuple(out.shape)))
    layer.register_full_backward_hook(lambda module, inner, outer: seen.append(tuple(outer[0].shape)))
    net(inputs().requires_grad_()).sum().backward()
    assert seen == [(6, WIDTH)] * 2
    assert not list(layer.parameters()) and net.eval().training is layer.training is False


def check_other_devices(make: Make) -> None:
    """On an accelerator the network is there, the answer too, and it is the CPU's."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    here, there = network(make()), network(make()).to("cuda")
    out = there(inputs().to("cuda"))
    out.sum().backward()
    here(inputs()).sum().backward()
    assert out.device.type == "cuda"
    for one, other in zip(here.parameters(), there.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad.cpu(), rtol=1e-9, atol=1e-12)


CHECKS = [check for name, check in dict(globals()).items() if name.startswith("check_")]


def exact_gradients(make: Make) -> None:
    """``torch.autograd.gradcheck`` for a layer without noise whose gradient claims to be exact."""
    z = torch.linspace(-1.5, 1.5, 2 * WIDTH, dtype=torch.float64).reshape(2, WIDTH).requires_grad_()
    assert torch.autograd.gradcheck(make(), z, eps=1e-5, atol=1e-6, rtol=1e-5, check_undefined_grad=False)


def check_citizenship(make: Make) -> Iterator[str]:
    """Run every check; yields the names of those passed."""
    for check in CHECKS:
        check(make)
        yield check.__name__

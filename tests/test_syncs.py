"""The host never waits for a GPU within a batched stage: shown with and without a GPU.

Fake tensors know their shapes and their device, but have no values: to ask for one, or for a shape
that depends on values, fails, as does mixing devices. Tensors that are elsewhere have values, and
keep account of copies between the devices. Where there is a GPU, torch itself is asked to fail as
soon as the host has to wait.
"""

import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from headrecon.geometry.lighting import fit_lighting
from headrecon.geometry.low_rank import approximate
from headrecon.geometry.mixing import fit_mixing
from headrecon.shading.pixels import Subset, believed_pixels
from headrecon.shading.subset import Irls, SmallResiduals
from tests.elsewhere import elsewhere, waits
from tests.flow.test_lucas_kanade import FLOW

GPU = torch.device("cuda:0")
NO_GPU = torch.device("cuda:1")
"""Of fake tensors; constants that stages keep for it are of no use to any other device."""
DEVICE = NO_GPU


def random(*shape: int) -> Tensor:
    """Like a stage's input."""
    return torch.rand(*shape, device=DEVICE)


def robust(subset: Subset, rank: int) -> Tensor:
    """Pixels that choose their photos."""
    seen, known = random(500, 20), random(500, 20)
    return believed_pixels(random(20, rank), seen, known, known, 1e-3, subset, 3, known.clone())


def flow() -> Tensor:
    """Between four pairs of photos."""
    photo = random(4, 64, 64)
    return FLOW(photo, photo, photo, random(4, 2, 64, 64))


STAGES: dict[str, Callable[[], Tensor]] = {
    "flow": flow,
    "low rank": lambda: approximate(random(20, 500), random(20, 500), random(20), 4, 3)[1],
    "robust weights": lambda: robust(Irls(2.0, 2.0, 0.02), 4),
    "small residuals": lambda: robust(SmallResiduals(2.0, 8), 9),
    "ambiguity": lambda: fit_mixing(
        random(4, 100), random(4, 100), random(4, 100), random(100), random(100), 3, 0.2
    )[0],
    "lighting": lambda: fit_lighting(
        random(5, 3, 100), random(3, 100), random(3, 100), random(5, 100)
    ),
}


@pytest.mark.parametrize("name", STAGES)
def test_a_batched_stage_asks_the_gpu_for_nothing(name):
    with FakeTensorMode():
        assert STAGES[name]().device == NO_GPU


@pytest.mark.parametrize("name", STAGES)
def test_a_batched_stage_copies_nothing_from_one_device_to_the_other(name, monkeypatch):
    with elsewhere() as there:
        monkeypatch.setattr(sys.modules[__name__], "DEVICE", there)
        STAGES[name]()
        waits.clear()
        STAGES[name]()
    assert waits == ["_linalg_eigh"] * waits.count("_linalg_eigh")
    assert bool(waits) == (name == "low rank")


def test_a_copy_would_be_found():
    with elsewhere() as there:
        waits.clear()
        torch.eye(3).to(there)
        torch.rand(3, device=there).sum().item()
    assert waits == ["_to_copy", "_local_scalar_dense"]


def test_a_stage_that_asks_would_be_found():
    with FakeTensorMode(), pytest.raises(DataDependentOutputException):
        float(random(3).sum())


@pytest.mark.gpu
@pytest.mark.parametrize("name", [name for name in STAGES if name != "low rank"])
def test_the_host_never_waits_for_a_batched_stage(name, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], "DEVICE", GPU)
    STAGES[name]()
    torch.cuda.set_sync_debug_mode("error")
    try:
        STAGES[name]()
    finally:
        torch.cuda.set_sync_debug_mode("default")

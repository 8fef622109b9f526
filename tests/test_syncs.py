"""On a GPU nothing waits for the host within a batched stage: shown without a GPU.

Fake tensors know their shapes and their device, but have no values: to ask for one, or for a shape
that depends on values, fails, as does mixing devices.
"""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch._subclasses.fake_tensor import DataDependentOutputException, FakeTensorMode

from headrecon.geometry.lighting import fit_lighting
from headrecon.geometry.low_rank import approximate
from headrecon.geometry.mixing import fit_mixing
from headrecon.shading.pixels import believed_pixels
from headrecon.shading.subset import Irls, SmallResiduals
from tests.flow.test_lucas_kanade import FLOW


def random(*shape: int) -> Tensor:
    """Of no values, on a GPU that there is not."""
    return torch.rand(*shape, device="cuda")


STAGES: dict[str, Callable[[], Tensor]] = {
    "flow": lambda: FLOW(*(random(4, 64, 64) for _ in range(3)), random(4, 2, 64, 64)),
    "low rank": lambda: approximate(random(20, 500), random(20, 500), 4, 3)[1],
    "robust weights": lambda: believed_pixels(
        random(20, 4), *(random(500, 20) for _ in range(3)), 1e-3, Irls(2.0, 0.02), 3
    )[0],
    "small residuals": lambda: believed_pixels(
        random(20, 9), *(random(500, 20) for _ in range(3)), 1e-3, SmallResiduals(2.0, 8), 3
    )[0],
    "ambiguity": lambda: fit_mixing(
        random(4, 100), random(3, 100), random(100), random(100), 3, 0.2
    ),
    "lighting": lambda: fit_lighting(
        random(5, 3, 100), random(3, 100), random(3, 100), random(5, 100)
    ),
}


@pytest.mark.parametrize("name", STAGES)
def test_a_batched_stage_asks_the_gpu_for_nothing(name):
    with FakeTensorMode():
        assert STAGES[name]().device.type == "cuda"


def test_a_stage_that_asks_would_be_found():
    with FakeTensorMode(), pytest.raises(DataDependentOutputException):
        float(random(3).sum())

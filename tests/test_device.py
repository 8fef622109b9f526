"""The method on a device that is not the CPU: a GPU where there is one, and one that is played."""

from collections.abc import Iterator
from pathlib import Path

import hydra
import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

import headrecon.render.rasterize
from headrecon.command import CONF
from headrecon.monitor import Monitor
from headrecon.pipeline import Pipeline
from headrecon.store import Store
from headrecon.types import Reconstruction
from tests.elsewhere import There, elsewhere
from tests.test_pipeline import SMALL, finished  # noqa: F401

DEVICES = ["played", pytest.param("cuda", marks=pytest.mark.gpu)]


@pytest.fixture(params=DEVICES)
def device(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[torch.device]:
    if request.param == "cuda":
        yield torch.device("cuda")
        return
    embree = headrecon.render.rasterize.cast_with_embree

    def cast(projected: There, faces: There, *size: int) -> There:
        return There(embree(projected.cpu(), faces.cpu(), *size))

    monkeypatch.setattr(headrecon.render.rasterize, "cast_with_pytorch3d", cast)
    with elsewhere() as there:
        yield there


def run(photos: Path, artifacts: Path, device: torch.device, *others: str) -> Reconstruction:
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config", overrides=[*SMALL, *others, f"run_dir={artifacts.parent}"])
    pipeline: Pipeline = hydra.utils.instantiate(config.pipeline, _convert_="all")
    monitor = Monitor(artifacts.parent / "tensorboard")
    pile = hydra.utils.instantiate(config.gather, _convert_="all")(photos)
    try:
        return pipeline.run(pile, pile.overrides, Store(artifacts, device), monitor)
    finally:
        monitor.close()


@pytest.mark.slow
def test_the_head_is_the_same_as_on_the_cpu(finished: Path, tmp_path: Path, device):  # noqa: F811
    photos = finished / "synthetic" / "photos"
    there = run(photos, tmp_path / "artifacts", device)
    here = run(photos, finished / "artifacts", torch.device("cpu"))
    off = (there.mesh.vertices - here.mesh.vertices).norm(dim=1)
    assert np.quantile(off.numpy(), 0.95) < 0.2


@pytest.mark.slow
def test_stages_that_are_not_the_default_run_there_too(finished: Path, tmp_path: Path, device):  # noqa: F811
    photos = finished / "synthetic" / "photos"
    others = ("pose@pipeline.pose=dense", "refine@pipeline.refine=expressive")
    there = run(photos, tmp_path / "artifacts", device, *others)
    here = run(photos, finished / "artifacts", torch.device("cpu"))
    off = (there.mesh.vertices - here.mesh.vertices).norm(dim=1)
    assert float(off.max()) > 0.0
    assert np.quantile(off.numpy(), 0.95) < 5.0

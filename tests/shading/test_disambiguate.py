import logging

import hydra
import pytest
import torch
from hydra import compose, initialize_config_dir

from headrecon.command import CONF
from headrecon.shading.disambiguate import Disambiguate
from tests.shading.spheres import sphere


@pytest.fixture(scope="module")
def disambiguate() -> Disambiguate:
    with initialize_config_dir(str(CONF), version_base=None):
        settings = compose("config").pipeline.disambiguate
        return hydra.utils.instantiate(settings, _convert_="all")


@pytest.mark.parametrize(
    ("turned", "said"),
    [
        ([1.0, 1.0, 1.0], ()),
        ([-1.0, 1.0, 1.0], ("left and right",)),
        ([1.0, -1.0, 1.0], ("up and down",)),
        ([-1.0, -1.0, 1.0], ("left and right", "up and down")),
    ],
)
def test_a_relief_that_runs_backwards_is_never_silent(disambiguate, caplog, turned, said):
    normals, _, mask = sphere()
    known = normals[:, mask]
    found = known * torch.tensor(turned)[:, None]
    with caplog.at_level(logging.WARNING):
        disambiguate._warn_of_flips("view+00", found, known)
    assert len(caplog.messages) == len(said)
    for name, message in zip(said, caplog.messages, strict=True):
        assert message.startswith("view+00: slopes to the " + name)

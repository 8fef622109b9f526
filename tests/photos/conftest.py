import os
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from headrecon.photos.detect import Detect
from headrecon.photos.weights import SOURCES, WeightsUnavailable, weights

CONF = Path(__file__).parents[2] / "conf"


@pytest.fixture(scope="session")
def detect() -> Detect:
    """The stage as it is configured; skips where its networks cannot be had."""
    try:
        for name in SOURCES:
            weights(name)
    except WeightsUnavailable as error:
        pytest.skip(str(error))
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("config")
    return instantiate(config.pipeline.detect, _convert_="all")


@pytest.fixture(scope="session")
def real_photos() -> Path:
    """A folder of photos of faces, which no repository can hold."""
    folder = os.environ.get("HEADRECON_PHOTOS")
    if not folder:
        pytest.skip("HEADRECON_PHOTOS names no folder of photos")
    return Path(folder)

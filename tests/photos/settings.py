"""Stages of reading as they are configured."""

from pathlib import Path
from typing import Any

from hydra.utils import instantiate
from omegaconf import OmegaConf

CONF = Path(__file__).parents[2] / "conf"


def configured(path: str, **changes: object) -> Any:
    """What the settings file of that path in conf/ builds, with some settings changed."""
    return instantiate(OmegaConf.merge(OmegaConf.load(CONF / path), changes), _convert_="all")

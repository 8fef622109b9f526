"""Settings as the user wrote them: checked before anything is built from them."""

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

import hydra.utils
from beartype.door import is_bearable
from hydra.errors import HydraException, InstantiationException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import MissingMandatoryValue, OmegaConfBaseException

Config = Any
"""An OmegaConf `DictConfig`, whose base class is one that beartype warns about."""


class Refusal(Exception):
    """What was asked for cannot be done, and why in one line."""


def check(config: Config, path: str = "") -> None:
    """Raise `Refusal` for the first setting that is unknown, missing or of the wrong type.

    The classes say what they take; this says it in the words of the command line.
    """
    for name in config:
        child = OmegaConf.select(config, str(name))
        if isinstance(child, DictConfig):
            check(child, f"{path}.{name}" if path else str(name))
    target = config.get("_target_")
    if target is None:
        return
    stage = hydra.utils.get_object(target)
    if dataclasses.is_dataclass(stage) and isinstance(stage, type):
        given = OmegaConf.to_container(config, resolve=True)
        assert isinstance(given, Mapping)
        _check_fields(stage, {str(k): v for k, v in given.items() if k != "_target_"}, path)


def _check_fields(stage: type, given: Mapping[str, object], path: str) -> None:
    expected = {field.name: field for field in dataclasses.fields(stage)}
    hints = typing.get_type_hints(stage)
    for name, value in given.items():
        if name not in expected:
            raise Refusal(f"{path} has no setting {name}; it has {', '.join(expected)}")
        nested = isinstance(value, Mapping) and "_target_" in value
        if not nested and not is_bearable(value, hints[name]):
            wanted = "a float, such as 1.0" if hints[name] is float else _name(hints[name])
            raise Refusal(f"{path}.{name} is {value!r}, but must be {wanted}")
    for name in expected:
        if name not in given:
            raise Refusal(f"{path}.{name} is missing")


def _name(hint: object) -> str:
    return f"of type {hint.__name__}" if isinstance(hint, type) else f"{hint}"


def explained(error: Exception) -> str:
    """An error of Hydra, OmegaConf or a stage's own checks in one line."""
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        group, _, name = error.missing_cfg_file.removesuffix(".yaml").rpartition("/")
        known = ", ".join(sorted(error.options or []))
        return f"there is no {group} called {name}" + (f"; there are: {known}" if known else "")
    if isinstance(error, InstantiationException) and error.__cause__:
        return one_line(str(error.__cause__))
    if isinstance(error, MissingMandatoryValue):
        return f"{error.full_key} is missing: give it as {error.full_key}=..."
    cause = error.__cause__
    if isinstance(error, HydraException) and isinstance(cause, OmegaConfBaseException):
        if "is not in struct" in str(cause):
            return f"there is no setting {cause.full_key or cause.key}"
        return one_line(str(cause))
    return one_line(str(error))


def one_line(text: str) -> str:
    """The text without line breaks."""
    return " ".join(text.split())

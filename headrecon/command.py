"""What the commands share: where settings are, whose head it is, and failures in one line."""

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from headrecon.photos.gather import NoPhotos
from headrecon.settings import Config, Refusal, check, explained, one_line

CONF = Path(__file__).parents[1] / "conf"
logger = logging.getLogger("headrecon")


def require_subject(config: Config) -> None:
    """Raise `Refusal` unless the settings say whose head it is, and are all of the right type."""
    if "subject" not in config:
        names = ", ".join(sorted(path.stem for path in (CONF / "subject").glob("*.yaml")))
        raise Refusal(f"choose whose head it is: +subject=NAME, where NAME is one of {names}")
    for name in ("name", "photos"):
        if OmegaConf.is_missing(config.subject, name):
            raise Refusal(f"subject.{name} is missing: give it as subject.{name}=...")
    check(config)


def device_called(name: str) -> torch.device:
    """The device of that name; `auto` is the GPU if there is one."""
    if name not in ("auto", "cpu", "cuda"):
        raise Refusal(f"device is {name!r}, but must be auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise Refusal("device is cuda, but torch finds no CUDA device here")
    found = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(found if name == "auto" else name)


@contextlib.contextmanager
def failures_in_one_line() -> Iterator[None]:
    """What the user has to know about a failure in one line on stderr, unless debugging.

    Errors that nobody foresaw keep their stack trace.
    """
    if "debug=true" in sys.argv:
        yield
        return
    try:
        yield
    except KeyboardInterrupt:
        message, code = "interrupted; the same command goes on from here", 130
    except (Refusal, NoPhotos, HydraException, OmegaConfBaseException) as error:
        message, code = explained(error), 2
    except ValueError as error:
        message, code = f"{one_line(str(error))} (debug=true shows where)", 2
    else:
        return
    print(f"headrecon: {message}", file=sys.stderr)
    sys.exit(code)


def main(command: Callable[[], None]) -> None:
    """Configure logging, then run a command that Hydra composes."""
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logger.setLevel(logging.INFO)
    # Hydra would print its own several lines and exit; this makes it raise instead.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    with failures_in_one_line():
        command()

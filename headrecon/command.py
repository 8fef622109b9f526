"""What the commands share: where settings are, whose head it is, and failures in one line."""

import contextlib
import ctypes
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

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""Names of settings of glibc's malloc."""
_KEPT, _OWN_MAPPING = 512 * 2**20, 32 * 2**20
"""Bytes of freed memory that the process keeps, and of a tensor that gets pages of its own."""


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


def keep_freed_memory() -> None:
    """Let tensors take the place of tensors that are no more.

    By default glibc gives memory back to the system as soon as some tens of megabytes are free, and
    gets it again, page by page and zeroed, for the next tensor: with photos of some megabytes that
    takes as long as the arithmetic. Other C libraries are left as they are.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None) if os.name == "posix" else None
    if set_option is not None:
        set_option(_TRIM_THRESHOLD, _KEPT)
        set_option(_MMAP_THRESHOLD, _OWN_MAPPING)


def main(command: Callable[[], None]) -> None:
    """Configure logging and memory, then run a command that Hydra composes."""
    keep_freed_memory()
    logging.basicConfig(stream=sys.stdout, format="%(message)s")
    logger.setLevel(logging.INFO)
    # Hydra would print its own several lines and exit; this makes it raise instead.
    os.environ["HYDRA_FULL_ERROR"] = "1"
    with failures_in_one_line():
        command()

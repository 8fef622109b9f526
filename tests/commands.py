"""Commands as users start them, without a process of their own."""

import contextlib
import io
import logging
import sys
from pathlib import Path
from types import ModuleType

import pytest


def start(command: ModuleType, folder: Path, *arguments: str) -> tuple[int, str, str]:
    """Runs a command line in a folder: exit code, stdout and stderr."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    root = logging.getLogger()
    handlers = root.handlers[:]
    loggers = [logging.getLogger(name) for name in ("headrecon", "headrecon.store")]
    levels = [logger.level for logger in loggers]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("HYDRA_FULL_ERROR", "0")
        patch.setattr(sys, "argv", [f"{command.__name__}.py", *arguments])
        # Logging goes to the stdout of the moment when it is configured.
        root.handlers.clear()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                command.main()
        except SystemExit as end:
            code = int(str(end.code))
        finally:
            root.handlers[:] = handlers
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)
    return code, out.getvalue(), err.getvalue()

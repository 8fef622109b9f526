"""Artifacts on disk, keyed by settings, inputs and code."""

import contextlib
import errno
import hashlib
import json
import logging
import os
import shutil
import tempfile
import time
import zipfile
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from tqdm import tqdm

from headrecon.archive import moved, pack, unpack
from headrecon.arrays import map_arrays, write_arrays
from headrecon.fingerprint import Fingerprint, Sources
from headrecon.threads import lone_threads
from headrecon.types import Rejection

logger = logging.getLogger(__name__)
Result = TypeVar("Result")
Item = TypeVar("Item")
Value = TypeVar("Value")

SCRATCH = ".scratch"
ABANDONED_SECONDS = 3600.0
WORKERS = min(4, os.cpu_count() or 1)
"""Items of a collection that are worked on at the same time."""
UNREADABLE = (
    *(OSError, EOFError, zipfile.BadZipFile, ValueError),
    *(KeyError, TypeError, AttributeError, ImportError),
)


@runtime_checkable
class Named(Protocol):
    """Anything with a name to store its result under."""

    @property
    def name(self) -> str:
        """What tells it from all others."""
        ...


class Store:
    """Results of stages by name, each read if nothing that it depends on has changed.

    A result is a folder with `arrays.npz` and `key.json`, which appears at once or not at all, so a
    run that was killed goes on where it was when it is started again. Artifacts rest on the CPU;
    a stage is run on `device`.
    """

    def __init__(
        self,
        root: Path,
        device: torch.device | None = None,
        elsewhere: Mapping[str, Path] | None = None,
        relatives: Sequence[Path] = (),
    ) -> None:
        """Results whose name begins with a key of `elsewhere` rest in that folder instead.

        What is not stored here is looked for in the stores of `relatives`, which are never changed.
        """
        self.root = root
        self.device = device or torch.device("cpu")
        self.elsewhere = dict(elsewhere or {})
        self.relatives = tuple(relatives)
        self.counts: Counter[str] = Counter()
        self._fingerprint = Fingerprint(Sources.read(Path(__file__).parent))
        self._sweep()

    def recall(self, name: str, stage: Callable[..., Result], *inputs: object) -> Result:
        """The stage's result for these inputs: read if stored under `name`, else computed."""
        started = time.perf_counter()
        result, outcome = self._recall(name, stage, inputs)
        if outcome == "read":
            logger.info("%s: read", name)
        else:
            logger.info("%s: computed in %.1f s", name, time.perf_counter() - started)
        return result

    def recall_each(
        self,
        folder: str,
        stage: Callable[..., Result],
        items: Iterable[Named],
        *others: object,
        expected: int = 0,
    ) -> tuple[Result | Rejection, ...]:
        """The stage's result for each item, by its name, with one bar and one line for them all.

        Items are asked for a few at a time and not kept, so they may be many and large; `expected`
        says about how many. Of one that was rejected before, the rejection is the result.
        """
        started, outcomes, results = time.perf_counter(), Counter[str](), []

        def recalled(item: Named | Rejection) -> tuple[Result | Rejection, str]:
            if isinstance(item, Rejection):
                return item, "rejected"
            return self._recall(f"{folder}/{item.name}", stage, (item, *others))

        done = _in_turn(recalled, items)
        for result, outcome in tqdm(done, folder, expected or None, leave=False, disable=None):
            results.append(result)
            outcomes[outcome] += 1
        logger.info(
            "%s: %d read, %d computed in %.1f s",
            *(folder, outcomes["read"], outcomes["computed"], time.perf_counter() - started),
        )
        return tuple(results)

    def _recall(
        self, name: str, stage: Callable[..., Result], inputs: tuple[object, ...]
    ) -> tuple[Result, str]:
        key = self._fingerprint(stage, *inputs)
        for folder in (self.folder(name), *self._elders(name)):
            try:
                result = _load(folder, key)
            except FileNotFoundError:
                continue
            except UNREADABLE as error:
                logger.warning("%s: cannot be read (%s), so it is computed again", name, error)
                continue
            if result is not None:
                self.counts["read"] += 1
                return result[0], "read"
        started = time.perf_counter()
        computed = self._run(stage, inputs)
        if self._fingerprint(stage, *inputs) != key:
            raise RuntimeError(f"{name}: {type(stage).__name__} changed its inputs")
        self._save(computed, name, key, stage, time.perf_counter() - started)
        self.counts["computed"] += 1
        # Read back, it need not stay in memory.
        with contextlib.suppress(*UNREADABLE):
            computed = (_load(self.folder(name), key) or (computed,))[0]
        return computed, "computed"

    def _elders(self, name: str) -> Iterator[Path]:
        """Where the stores of relatives would have a result of that name."""
        return (root.joinpath(*map(_safe, name.split("/"))) for root in self.relatives)

    def folder(self, name: str) -> Path:
        """Where a result of that name rests; names may come from photos, so they cannot escape."""
        root, parts = self._place(name)
        return root.joinpath(*map(_safe, parts))

    def _place(self, name: str) -> tuple[Path, list[str]]:
        first, *rest = name.split("/")
        if rest and first in self.elsewhere:
            return self.elsewhere[first], rest
        return self.root, [first, *rest]

    def _run(self, stage: Callable[..., Result], inputs: tuple[object, ...]) -> Result:
        # What decodes files, or is quicker on the CPU, says so: see `Detect`.
        if self.device.type == "cpu" or getattr(stage, "on_cpu", False):
            return stage(*inputs)
        on_device = moved(stage, self.device)(*moved(inputs, self.device))
        return moved(on_device, torch.device("cpu"))

    def _save(
        self, result: object, name: str, key: str, stage: Callable[..., Any], seconds: float
    ) -> None:
        tree, arrays = pack(result)
        folder, scratches = self.folder(name), self._place(name)[0] / SCRATCH
        scratch = _new_folder(scratches)
        try:
            # The key is in both files, for a reader that comes while the folder is being replaced.
            everything: dict[str, Any] = {"key": np.array(key), **arrays}
            write_arrays(scratch / "arrays.npz", everything)
            about = {"key": key, **_about(stage), "seconds": round(seconds, 3), "result": tree}
            (scratch / "key.json").write_text(json.dumps(about, indent=1), "utf-8")
            folder.parent.mkdir(parents=True, exist_ok=True)
            _replace(folder, scratch, scratches)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _sweep(self) -> None:
        """Remove what killed runs left half-written."""
        for root in (self.root, *self.elsewhere.values()):
            for path in (root / SCRATCH).glob("*"):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - path.stat().st_mtime > ABANDONED_SECONDS:
                        shutil.rmtree(path, ignore_errors=True)


def _in_turn(function: Callable[[Item], Value], items: Iterable[Item]) -> Iterator[Value]:
    """The function's value for each item, in order; a few are worked on at the same time."""
    waiting: deque[Future[Value]] = deque()
    with lone_threads(WORKERS) as pool:
        for item in items:
            waiting.append(pool.submit(function, item))
            if len(waiting) >= 2 * WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _new_folder(parent: Path) -> Path:
    parent.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=parent))


def _replace(folder: Path, scratch: Path, scratches: Path) -> None:
    """Put the scratch folder in place of `folder`, which another process may be doing as well.

    A folder cannot be renamed onto one that has files in it, so that one is moved away first.
    Killed in between, there is no result, and it will be computed again.
    """
    while True:
        try:
            os.rename(scratch, folder)
            return
        except OSError as error:
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
        stale = _new_folder(scratches)
        with contextlib.suppress(FileNotFoundError):
            os.rename(folder, stale / "stale")
        shutil.rmtree(stale, ignore_errors=True)


def _load(folder: Path, key: str) -> tuple[Any] | None:
    """The stored result in a tuple of one, or None if it was made from something else."""
    about = json.loads((folder / "key.json").read_text("utf-8"))
    if about["key"] != key:
        return None
    arrays = map_arrays(folder / "arrays.npz")
    if arrays["key"] != key:
        return None
    return (unpack(about["result"], arrays),)


def _about(stage: Callable[..., Any]) -> dict[str, Any]:
    """What a reader of `key.json` wants to know of the stage; arrays are left out."""
    named = stage if isinstance(stage, type) or hasattr(stage, "__qualname__") else type(stage)
    about: dict[str, Any] = {"stage": f"{named.__module__}.{named.__qualname__}"}
    if named is not stage:
        about["settings"] = {name: _brief(value) for name, value in vars(stage).items()}
    return about


def _brief(value: object) -> object:
    if isinstance(value, bool | int | float | str):
        return value
    return repr(value) if isinstance(value, tuple | list | dict) else type(value).__qualname__


def _safe(part: str) -> str:
    """A file name for one part of a name: itself if it is harmless, else changed and numbered."""
    harmless = "".join(c if c.isprintable() and c not in '\\:*?"<>|' else "_" for c in part)
    harmless = harmless.encode()[:150].decode(errors="ignore")
    if harmless == part and not part.startswith(".") and part.strip() == part != "":
        return part
    number = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"_{harmless}-{number}"

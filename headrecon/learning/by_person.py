"""Examples in files of one person each, made by several processes."""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm


def made_by_person(
    make: Callable[[int, Path], None], folder: Path, people: int, workers: int
) -> list[Any]:
    """What is in the files, after those that are missing have been made."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"person_{k:05d}.pt" for k in range(people)]
    missing = [k for k, file in enumerate(files) if not file.exists()]
    # Each worker has its own copy of the head model; forked ones would share torch's threads.
    context = get_context("spawn")
    with ProcessPoolExecutor(workers, context, torch.set_num_threads, (1,)) as pool:
        made = [pool.submit(make, k, files[k]) for k in missing]
        for one in tqdm(made, "people", leave=False, disable=None):
            one.result()
    return [torch.load(file, weights_only=True) for file in files]

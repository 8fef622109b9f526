"""Threads that work side by side, each by itself."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import torch


@contextmanager
def lone_threads(count: int) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads that do not share out their operations among further threads.

    The threads of one operation wait for each other at its end. Where operations are short and the
    machine has something else to do, that waiting takes all the time.
    """
    own = torch.get_num_threads()
    pool = ThreadPoolExecutor(count, initializer=torch.set_num_threads, initargs=(1,))
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)
        # For products of matrices the number is one for all threads.
        torch.set_num_threads(own)

"""Marks: slow tests run on request, GPU tests where there is a GPU. And tests side by side."""

import os

import pytest
import torch

LONG = ("test_pipeline.py", "test_benchmark.py", "test_detect.py")
"""Files that take longest, one of which would be waited for if it began last."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--slow", action="store_true", help="run the slow tests as well")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    unasked = pytest.mark.skip(reason="slow: run with --slow")
    impossible = pytest.mark.skip(reason="no CUDA device")
    for item in items:
        if "slow" in item.keywords and not config.getoption("--slow"):
            item.add_marker(unasked)
        if "gpu" in item.keywords and not torch.cuda.is_available():
            item.add_marker(impossible)
    items.sort(key=lambda item: item.path.name not in LONG)


def pytest_configure(config: pytest.Config) -> None:
    """Tests that run side by side take one thread each, as do the commands that they start."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ["OMP_NUM_THREADS"] = "1"
        torch.set_num_threads(1)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Of 2 to 3 GB each."""
    return min(4, os.cpu_count() or 1)

"""Marks: slow tests run on request, GPU tests where there is a GPU."""

import pytest
import torch


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

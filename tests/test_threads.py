"""Threads that do not share out what they do."""

import pytest
import torch

from headrecon.threads import lone_threads


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_each_computes_by_itself_and_those_who_started_them_go_on_as_before():
    with lone_threads(3) as pool:
        numbers = [pool.submit(torch.get_num_threads) for _ in range(6)]
        assert [number.result() for number in numbers] == [1] * 6
    assert torch.get_num_threads() == 2


def test_what_goes_wrong_in_one_is_told_and_leaves_the_number_as_it_was():
    with pytest.raises(ZeroDivisionError), lone_threads(2) as pool:
        pool.submit(lambda: 1 / 0).result()
    assert torch.get_num_threads() == 2

"""Arrays on disk that are looked at without being read."""

from pathlib import Path

import numpy as np
import pytest
import torch

from headrecon.arrays import map_arrays, write_arrays

ARRAYS = {
    "a.b": np.arange(15, dtype=np.float32).reshape(3, 5),
    "number": np.array(3.5),
    "empty": np.zeros((0, 2), np.int64),
    "flags": np.arange(21).reshape(7, 3) % 2 == 0,
    "bytes": np.arange(11, dtype=np.uint8),
    "turned": np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1),
}


def test_arrays_are_what_they_were_and_any_program_can_read_them(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    write_arrays(path, {"key": np.array("Schlüssel"), **ARRAYS})
    found = map_arrays(path)
    assert found["key"] == "Schlüssel"
    with np.load(path, allow_pickle=False) as read:
        assert str(read["key"]) == "Schlüssel"
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(read[name], array)
            tensor = found[name]
            assert isinstance(tensor, torch.Tensor)
            assert torch.equal(tensor, torch.from_numpy(array.copy()))
            assert tensor.numel() == 0 or tensor.data_ptr() % 64 == 0


def test_writing_to_what_was_mapped_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    write_arrays(path, ARRAYS)
    tensor = map_arrays(path)["bytes"]
    assert isinstance(tensor, torch.Tensor)
    tensor[0] = 77
    again = map_arrays(path)["bytes"]
    assert isinstance(again, torch.Tensor)
    assert again.tolist() == list(range(11))


def test_no_file_stays_open(tmp_path: Path) -> None:
    files = Path("/proc/self/fd")
    if not files.exists():
        pytest.skip("the system does not tell which files are open")
    path = tmp_path / "arrays.npz"
    write_arrays(path, ARRAYS)
    before = len(list(files.iterdir()))
    kept = [map_arrays(path) for _ in range(50)]
    assert len(list(files.iterdir())) <= before
    assert len(kept) == 50


def test_arrays_stay_readable_when_their_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    write_arrays(path, ARRAYS)
    tensor = map_arrays(path)["a.b"]
    path.unlink()
    assert isinstance(tensor, torch.Tensor)
    assert tensor.sum() == 105.0


def test_damage_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "arrays.npz"
    write_arrays(path, ARRAYS)
    content = bytearray(path.read_bytes())
    content[content.index(bytes(range(11))) + 5] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        map_arrays(path)


def test_a_file_that_is_taken_away_while_it_is_read_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As by another run that puts a result of its own in the same place."""
    path = tmp_path / "arrays.npz"
    write_arrays(path, {"a": np.arange(4.0)})
    whole = torch.UntypedStorage.from_file

    def late(*arguments: object, **settings: object) -> object:
        path.unlink()
        return whole(*arguments, **settings)

    monkeypatch.setattr(torch.UntypedStorage, "from_file", late)
    with pytest.raises(FileNotFoundError):
        map_arrays(path)

import json
import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headrecon.store import Store
from headrecon.types import Camera, DepthMap, Head, Photo, Rejection, Surface
from tests import artifacts


@dataclass(frozen=True)
class Weigh:
    """A stage with both kinds of result."""

    limit: float

    def __call__(self, photo: Photo) -> DepthMap | Rejection:
        if float(photo.encoded.sum()) > self.limit:
            return Rejection(photo.name, "too heavy")
        return depth_map(float(photo.encoded[0]))


@dataclass(frozen=True)
class Spoil:
    """A stage that is not pure."""

    def __call__(self, photo: Photo) -> Photo:
        photo.encoded[0] = 7
        return photo


@dataclass(frozen=True)
class Grow:
    """A stage with a nested result, in which there is also a tensor without elements."""

    def __call__(self, depth: DepthMap) -> Head:
        normals = replace(artifacts.normal_field(), lighting=torch.zeros(0, 4))
        return Head((Surface(normals, depth), Surface(normals, depth)))


def depth_map(z: float) -> DepthMap:
    camera = Camera(torch.eye(3), 0.1 + 0.2, torch.tensor([1.5, 2.5]), 2, 3)
    return DepthMap("view+30", camera, torch.full((2, 3), z), torch.ones(2, 3, dtype=torch.bool))


def photo(*values: int, name: str = "a.jpg") -> Photo:
    return Photo(name, torch.tensor(values, dtype=torch.uint8))


def test_the_second_time_a_result_is_read_and_is_the_same(tmp_path: Path) -> None:
    first, again = Store(tmp_path), Store(tmp_path)
    one, two = (store.recall("x", Weigh(9.0), photo(4, 1)) for store in (first, again))
    assert isinstance(one, DepthMap)
    assert isinstance(two, DepthMap)
    assert (first.counts["computed"], again.counts["read"]) == (1, 1)
    assert two.camera.scale == one.camera.scale
    assert two.mask.dtype == torch.bool
    torch.testing.assert_close(two.z, one.z, rtol=0, atol=0)


def test_either_type_of_a_union_comes_back(tmp_path: Path) -> None:
    rejected = Rejection("a.jpg", "too heavy")
    assert Store(tmp_path).recall("x", Weigh(1.0), photo(4, 1)) == rejected
    again = Store(tmp_path)
    assert again.recall("x", Weigh(1.0), photo(4, 1)) == rejected
    assert again.counts == {"read": 1}


def test_nested_artifacts_and_empty_tensors_come_back(tmp_path: Path) -> None:
    one, two = (Store(tmp_path).recall("head", Grow(), depth_map(3.0)) for _ in range(2))
    assert two.surfaces[1].normals.label == "view+30"
    assert two.surfaces[1].normals.lighting.shape == (0, 4)
    albedos = [head.surfaces[1].normals.albedo for head in (one, two)]
    torch.testing.assert_close(*albedos, rtol=0, atol=0)


def test_other_settings_or_inputs_are_computed_and_replace_the_old_result(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.recall("x", Weigh(9.0), photo(4, 1))
    store.recall("x", Weigh(8.0), photo(4, 1))
    store.recall("x", Weigh(8.0), photo(4, 2))
    store.recall("x", Weigh(8.0), photo(4, 2))
    assert store.counts == {"computed": 3, "read": 1}
    assert [path.name for path in tmp_path.iterdir() if path.name != ".scratch"] == ["x"]
    assert list((tmp_path / ".scratch").iterdir()) == []


@pytest.mark.parametrize("file", ["arrays.npz", "key.json"])
@pytest.mark.parametrize("damage", ["cut", "emptied", "removed", "scribbled"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_damaged_results_are_computed_again(tmp_path: Path, file: str, damage: str) -> None:
    Store(tmp_path).recall("x", Weigh(9.0), photo(4, 1))
    path = tmp_path / "x" / file
    whole = path.read_bytes()
    damaged = {"cut": whole[: len(whole) // 2], "emptied": b"", "scribbled": b"\x80{" + whole[2:]}
    path.unlink()
    if damage != "removed":
        path.write_bytes(damaged[damage])
    store = Store(tmp_path)
    depth = store.recall("x", Weigh(9.0), photo(4, 1))
    assert isinstance(depth, DepthMap)
    assert depth.z[1, 2] == 4.0
    assert path.exists()


def test_flipped_bits_in_the_arrays_are_noticed(tmp_path: Path) -> None:
    Store(tmp_path).recall("x", Weigh(9.0), photo(4, 1))
    path = tmp_path / "x" / "arrays.npz"
    contents = path.read_bytes()
    values = torch.full((2, 3), 4.0).numpy().tobytes()
    assert contents.count(values) == 1
    path.write_bytes(contents.replace(values, values[::-1]))
    store = Store(tmp_path)
    store.recall("x", Weigh(9.0), photo(4, 1))
    assert store.counts == {"computed": 1}


def test_a_stage_that_changes_its_inputs_is_found_out(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="Spoil changed its inputs"):
        Store(tmp_path).recall("x", Spoil(), photo(4, 1))
    assert not (tmp_path / "x").exists()


HOSTILE = [
    "..",
    ".",
    "",
    "../../x",
    "a/../../x",
    "/etc",
    ".hidden",
    "a\0b",
    "n" * 400,
    " ",
    "\udce9",
]


@pytest.mark.parametrize("name", [*HOSTILE, "Anna & Bo (2).JPG", "größe 日本.png", "a\\b", "c:d"])
def test_no_name_leaves_the_folder_and_different_names_stay_apart(
    tmp_path: Path, name: str
) -> None:
    root = tmp_path / "store"
    Store(root).recall(f"photos/{name}", Weigh(9.0), photo(4, 1))
    Store(root).recall("photos/x", Weigh(9.0), photo(5, 1))
    store = Store(root)
    store.recall(f"photos/{name}", Weigh(9.0), photo(4, 1))
    assert store.counts == {"read": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["store"]
    assert sorted(path.name for path in root.iterdir()) == [".scratch", "photos"]


def test_ordinary_photo_names_can_be_recognised_in_a_file_browser(tmp_path: Path) -> None:
    folder = Store(tmp_path).folder("photos/Anna & Bo (2), größe 日本.JPG")
    assert folder.name == "Anna & Bo (2), größe 日本.JPG"


def test_results_for_many_inputs_come_in_order_and_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    photos = [photo(value, name=f"{value}.jpg") for value in (3, 12, 5)]
    Store(tmp_path).recall("photos/3.jpg", Weigh(9.0), photos[0])
    with caplog.at_level(logging.INFO):
        results = Store(tmp_path).recall_each("photos", Weigh(9.0), photos)
    assert [type(result) for result in results] == [DepthMap, Rejection, DepthMap]
    assert [record.message.split(" in ")[0] for record in caplog.records] == [
        "photos: 1 read, 2 computed"
    ]


def test_what_was_rejected_before_is_passed_on_in_its_place(tmp_path: Path) -> None:
    store, refused = Store(tmp_path), Rejection("b", "cannot be read")
    first, second, third = store.recall_each(
        "photos", Weigh(9.0), [photo(3, name="a"), refused, photo(4, name="c")]
    )
    assert (type(first), second, type(third)) == (DepthMap, refused, DepthMap)
    assert store.counts == {"computed": 2}


def test_chosen_results_can_rest_elsewhere_and_be_shared(tmp_path: Path) -> None:
    shared = {"photos": tmp_path / "shared"}
    one, two = (Store(tmp_path / run, elsewhere=shared) for run in ("one", "two"))
    for store in (one, two):
        store.recall("photos/a", Weigh(9.0), photo(4, 1))
        store.recall("view/a", Weigh(9.0), photo(4, 1))
    assert two.counts == {"read": 1, "computed": 1}


def test_results_of_relatives_are_read_and_never_changed(tmp_path: Path) -> None:
    Store(tmp_path / "one").recall("view/a", Weigh(9.0), photo(4, 1))
    before = (tmp_path / "one" / "view" / "a" / "key.json").read_bytes()
    store = Store(tmp_path / "two", relatives=[tmp_path / "one", tmp_path / "nowhere"])
    store.recall("view/a", Weigh(9.0), photo(4, 1))
    assert store.counts == {"read": 1}
    assert not (tmp_path / "two" / "view").exists()
    store.recall("view/a", Weigh(8.0), photo(4, 1))
    assert store.counts == {"read": 1, "computed": 1}
    assert (tmp_path / "one" / "view" / "a" / "key.json").read_bytes() == before
    assert not (tmp_path / "nowhere").exists()


def test_key_files_say_what_made_the_result(tmp_path: Path) -> None:
    Store(tmp_path).recall("x", Weigh(9.0), photo(4, 1))
    key = json.loads((tmp_path / "x" / "key.json").read_text())
    assert key["stage"].endswith("Weigh")
    assert key["settings"] == {"limit": 9.0}


SLOW_RUN = """
import sys, time
from dataclasses import dataclass, replace
from pathlib import Path
import torch
from headrecon.store import Store
from headrecon.types import Photo

@dataclass(frozen=True)
class Enlarge:
    size: int
    def __call__(self, photo: Photo) -> Photo:
        return Photo(photo.name, photo.encoded.repeat(self.size))

store = Store(Path(sys.argv[1]))
photos = [Photo(str(i), torch.full((1000,), i, dtype=torch.uint8)) for i in range(int(sys.argv[2]))]
print("ready", flush=True)
for photo in photos:
    enlarged = store.recall("photos/" + photo.name, Enlarge(2000), photo)
    assert bool((enlarged.encoded == photo.encoded[0]).all())
print(store.counts["read"], store.counts["computed"])
"""


def start(tmp_path: Path, count: int) -> "subprocess.Popen[str]":
    script = tmp_path / "run.py"
    script.write_text(SLOW_RUN)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    command = [sys.executable, str(script), str(tmp_path / "store"), str(count)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)


def test_a_killed_run_goes_on_where_it_was(tmp_path: Path) -> None:
    killed = start(tmp_path, 100)
    done = tmp_path / "store" / "photos"
    while not done.exists() or len(list(done.iterdir())) < 5:
        assert killed.poll() is None
        time.sleep(0.002)
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    finished = len(list(done.iterdir()))
    out, _ = start(tmp_path, 100).communicate()
    assert out.split() == ["ready", str(finished), str(100 - finished)]


def test_two_runs_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    runs = [start(tmp_path, 30) for _ in range(2)]
    for run in runs:
        run.communicate()
        assert run.returncode == 0
    results = list((tmp_path / "store" / "photos").iterdir())
    assert len(results) == 30
    for result in results:
        with np.load(result / "arrays.npz") as arrays:
            assert str(arrays["key"]) == json.loads((result / "key.json").read_text())["key"]
            assert (arrays["result.encoded"] == int(result.name)).all()


@dataclass(frozen=True)
class WhereAmI:
    """A stage that tells where it was run, with a tensor among its settings."""

    weights: torch.Tensor

    def __call__(self, depth: DepthMap) -> Rejection | DepthMap:
        if not (depth.z.is_cuda and depth.camera.origin.is_cuda and self.weights.is_cuda):
            return Rejection("device", "not on the GPU")
        return depth


@pytest.mark.gpu
def test_stages_run_on_the_gpu_and_their_results_rest_on_the_cpu(tmp_path: Path) -> None:
    store = Store(tmp_path, torch.device("cuda"))
    depth = store.recall("x", WhereAmI(torch.ones(2)), depth_map(3.0))
    assert isinstance(depth, DepthMap)
    assert not depth.z.is_cuda
    other = Store(tmp_path)
    other.recall("x", WhereAmI(torch.ones(2)), depth_map(3.0))
    assert other.counts == {"read": 1}

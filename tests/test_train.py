import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
import torch

from headrecon import train
from headrecon.photos.gather import NoPhotos
from tests.commands import start

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command line in an empty folder: exit code, stdout and stderr."""
    return partial(start, train, tmp_path)


@pytest.fixture
def me(tmp_path: Path) -> list[str]:
    """Arguments for a folder with two photos and a pipeline that does not look at them."""
    photos = tmp_path / "my photos"
    photos.mkdir()
    for name in ("a b.jpg", "c.png"):
        (photos / name).write_bytes(name.encode())
    return ["+subject=folder", "subject.name=ME", f"subject.photos='{photos}'"]


def still(name: str = "Still") -> str:
    return f"pipeline._target_=tests.pipelines.{name}"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            [],
            "choose whose head it is: +subject=NAME, where NAME is one of folder, manifest, ",
        ),
        (
            ["+subject=nobody"],
            "there is no subject called nobody; there are: folder, manifest, synthetic",
        ),
        (["+subject=folder"], "subject.name is missing"),
        (["+subject=folder", "subject.name=X"], "subject.photos is missing"),
        (["+subject=tom_hanks", "preset=best"], "there is no preset called best"),
        (["+subject=tom_hanks", "flow@pipeline.flow=raft"], "there is no flow called raft"),
        (["+subject=tom_hanks", "pipeline.refine.epoch=1"], "no setting pipeline.refine.epoch"),
        (
            ["+subject=tom_hanks", "+pipeline.refine.epoch=1"],
            "pipeline.refine has no setting epoch",
        ),
        (["+subject=tom_hanks", "pipeline.refine.steps=few"], "pipeline.refine.steps is 'few'"),
        (["+subject=tom_hanks", "cluster.count=x"], "count is 'x', but must be of type int"),
        (["+subject=tom_hanks", "cluster.count=0"], "must be from 1 to 181"),
        (["+subject=tom_hanks", "device=tpu"], "device is 'tpu', but must be auto, cpu or cuda"),
        (["+subject=tom_hanks", "no equals sign"], "no equals sign"),
        (["-m", "+subject=tom_hanks", "cluster.count=0,200"], "must be from 1 to 181"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(run: Run, arguments: list[str], words: str) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1


def test_missing_photos_are_asked_for_by_the_place_where_they_belong(
    run: Run, tmp_path: Path
) -> None:
    code, _, err = run("+subject=tom_hanks")
    assert code == 2
    assert f"there is no folder {tmp_path / 'data' / 'tom_hanks'}" in err
    assert err.count("\n") == 1


def test_a_folder_without_photos_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "tom_hanks").mkdir(parents=True)
    code, _, err = run("+subject=tom_hanks")
    assert (code, err.count("\n")) == (2, 1)
    assert "no photos" in err


def test_the_gpu_is_refused_where_there_is_none(run: Run) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is one")
    code, _, err = run("+subject=tom_hanks", "device=cuda")
    assert code == 2
    assert "finds no CUDA device" in err


def test_debugging_shows_where_an_error_arose(run: Run) -> None:
    with pytest.raises(NoPhotos):
        run("+subject=tom_hanks", "debug=true")


def test_a_run_leaves_its_files_in_its_folder_and_nothing_elsewhere(
    run: Run, me: list[str], tmp_path: Path
) -> None:
    code, out, err = run(*me, still(), "run_dir=out")
    assert (code, err) == (0, "")
    assert f"mesh: {tmp_path / 'out' / 'mesh' / 'head.ply'}" in out
    assert (tmp_path / "out" / "report" / "index.html").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["my photos", "out"]
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics == {"photos/found_count": 2, "photos/held_out_share": 0.0, "views/count": 7}


def test_the_second_run_reads_everything(run: Run, me: list[str]) -> None:
    _, first, _ = run(*me, still())
    _, second, _ = run(*me, still())
    assert "0 results read, 3 computed" in first
    assert "3 results read, 0 computed" in second


def test_each_run_of_a_sweep_has_its_folder_and_detections_are_shared(
    run: Run, me: list[str], tmp_path: Path
) -> None:
    code, out, err = run("-m", *me, still("Still"), "cluster.count=5,7,9")
    assert (code, err) == (0, "")
    for count in (5, 7, 9):
        [folder] = (tmp_path / "runs" / "ME").glob(f"*cluster.count={count}*")
        metrics = json.loads((folder / "metrics.json").read_text())
        assert metrics["views/count"] == count
        assert list((folder / "tensorboard").iterdir())
    table = (tmp_path / "runs" / "ME" / "sweep.md").read_text()
    assert table.startswith("| cluster.count |")
    assert [row.split("|")[1].strip() for row in table.splitlines()[2:]] == ["5", "7", "9"]
    assert (tmp_path / "runs" / "ME" / "sweep.png").exists()
    assert out.count("2 results read, 1 computed") == 2
    assert len(list((tmp_path / "runs" / "ME" / "artifacts" / "photos").glob("*/key.json"))) == 2


def test_an_interrupted_run_says_how_to_go_on_and_loses_nothing(run: Run, me: list[str]) -> None:
    code, _, err = run(*me, still("Interrupted"))
    assert code == 130
    assert err == "headrecon: interrupted; the same command goes on from here\n"
    _, out, _ = run(*me, still())
    assert "2 results read, 1 computed" in out


def test_photos_that_are_of_no_use_are_no_stack_trace(run: Run, me: list[str]) -> None:
    code, _, err = run(*me, still("Failing"))
    assert code == 2
    assert err.startswith("headrecon: no view has enough photos: 2 in the largest")
    assert err.count("\n") == 1

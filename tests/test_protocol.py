"""A head judged by photos that it was not made from, as a command."""

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import trimesh
from PIL import Image

from headrecon import protocol
from headrecon.draw.viewer import colored, srgb_levels
from headrecon.photos.weights import SOURCES, WeightsUnavailable, weights
from headrecon.synthetic.record import read_truth
from headrecon.types import HeadMesh, Portrait
from tests import artifacts
from tests.commands import start
from tests.synthetic.sessions import CHANCE, SESSION


def write_run(folder: Path, mesh: HeadMesh, share: float) -> None:
    """The files of a run that a judge looks at."""
    (folder / "mesh").mkdir(parents=True)
    colored(mesh, srgb_levels(mesh)).export(str(folder / "mesh" / "head.ply"))
    marks = {"points": mesh.landmarks.tolist()}
    (folder / "mesh" / "landmarks68.json").write_text(json.dumps(marks))
    (folder / "metrics.json").write_text(json.dumps({protocol.SHARE: share}))


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose head is the true one."""
    try:
        for name in SOURCES:
            weights(name)
    except WeightsUnavailable as error:
        pytest.skip(str(error))
    root = tmp_path_factory.mktemp("protocol")
    photos = root / "photos"
    chance = replace(CHANCE, azimuth=50.0, min_side=240, max_side=280, mildness=0.3)
    replace(SESSION, photos=12, chance=chance)(photos, root / "truth")
    truth = read_truth(root / "truth")
    ones = torch.ones(len(truth.vertices))
    mesh = HeadMesh(truth.vertices, truth.faces, truth.albedo, ones, truth.landmarks)
    write_run(root / "run", mesh, 0.4)
    # The same in inches, on its side.
    turned = torch.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]) / 25.4
    theirs = trimesh.Trimesh(mesh.vertices @ turned.T, mesh.faces, process=False)
    theirs.export(str(root / "theirs.obj"))
    marks = {"points": (mesh.landmarks @ turned.T).tolist()}
    (root / "theirs.json").write_text(json.dumps(marks))
    code, out, err = start(
        protocol,
        root,
        f"run={root / 'run'}",
        f"photos={photos}",
        "~methods.space_carving",
        "device=cpu",
        f"truth={root / 'truth'}",
        f"+meshes.theirs={{mesh:{root / 'theirs.obj'},landmarks:{root / 'theirs.json'}}}",
    )
    assert code == 0, out + err
    assert "| result |" in out
    return root / "run" / "evaluation"


def test_a_photo_whose_copy_heads_are_made_of_does_not_judge_them():
    made_of = [artifacts.portrait(name) for name in ("a.jpg", "b.jpg")]
    those = [artifacts.portrait(name) for name in ("a copy.jpg", "c.jpg", "c again.jpg")]

    def copies(portraits: Sequence[Portrait]) -> tuple[tuple[int, int], ...]:
        """The held-out one of the first two is taken for the original."""
        assert [one.name for one in portraits[:2]] == ["a.jpg", "b.jpg"]
        return ((0, 2), (4, 3))

    judging = protocol.unseen(those, made_of, copies)
    assert [one.name for one in judging] == ["c.jpg", "c again.jpg"]
    assert protocol.unseen([], made_of, lambda portraits: ()) == ()


def test_every_method_is_told_of_with_its_spread(judged: Path):
    lines = (judged / "table.md").read_text().splitlines()
    assert lines[0].endswith("photos that the heads were not made from")
    rows = {line.split("|")[1].strip(): line for line in lines[2:]}
    assert {"result", "mean head", "fiducial warp", "morphable model", "single photo"} < set(rows)
    assert rows["result"].count("±") >= 6


def test_the_true_head_is_better_than_all_others(judged: Path):
    with (judged / "photos.csv").open() as opened:
        rows = list(csv.DictReader(opened))
    means: dict[str, list[float]] = {}
    for row in rows:
        means.setdefault(row["head"], []).append(float(row["head_grey_levels"]))
    means_of = {name: sum(values) / len(values) for name, values in means.items()}
    for name in ("theirs", "true_head"):
        assert means_of.pop(name) == pytest.approx(means_of["result"], rel=1e-2)
    assert min(means_of, key=lambda name: means_of[name]) == "result"
    assert 2 <= len(means["result"]) < 12


def test_pictures_show_errors_and_five_sides(judged: Path):
    for name in ("errors", "sides"):
        with Image.open(judged / f"{name}.png") as picture:
            assert picture.width > 800


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "run is missing"),
        (["run=nowhere", "photos=nowhere"], "there is no finished run in"),
        (["run=RUN", "photos=nowhere"], "there is no folder"),
        (["run=RUN", "photos=RUN", "drawn=0"], "drawn have to be at least 1"),
        (["run=RUN", "photos=RUN", "ends.jaw=sixty"], "ends.jaw is 'sixty', but must be a float"),
        (["run=ALL", "photos=nowhere"], "the run has seen all photos"),
        (["run=RUN", "photos=RUN", "truth=nowhere"], "nowhere holds no truth"),
        (["run=RUN", "photos=RUN", "+meshes.one.mesh=x.obj"], "landmarks"),
        (["run=RUN", "photos=RUN", "+meshes.mean_head.mesh=x.obj"], "the name of another head"),
    ],
)
def test_what_is_missing_is_said_in_one_line(tmp_path: Path, arguments: list[str], words: str):
    for name, share in (("RUN", 0.2), ("ALL", 0.0)):
        ball = torch.rand(100, 3)
        faces = torch.arange(99).reshape(33, 3)
        write_run(tmp_path / name, HeadMesh(ball, faces, 0.5 * ball, ball[:, 0], ball[:68]), share)
    code, _, err = start(protocol, tmp_path, *arguments)
    assert code == 2
    assert words in err
    assert err.count("\n") == 1

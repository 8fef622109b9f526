"""Meshes of other programs: read, or refused in one line."""

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from headrecon.evaluate.third_party import read_mesh

BALL = trimesh.creation.icosphere(2)


@pytest.fixture
def landmarks(tmp_path: Path) -> Path:
    path = tmp_path / "landmarks68.json"
    path.write_text(json.dumps({"points": BALL.vertices[:68].tolist()}))
    return path


@pytest.mark.parametrize("suffix", ["ply", "obj", "stl", "glb", "off"])
def test_every_usual_format_is_read(tmp_path: Path, landmarks: Path, suffix: str):
    BALL.export(str(tmp_path / f"ball.{suffix}"))
    mesh = read_mesh(tmp_path / f"ball.{suffix}", landmarks)
    assert mesh.faces.shape == (320, 3)
    assert float(mesh.vertices.norm(dim=1).max()) == pytest.approx(1.0, abs=1e-5)


def test_files_that_are_no_meshes_are_refused_in_one_line(tmp_path: Path, landmarks: Path):
    points = tmp_path / "points.ply"
    trimesh.PointCloud(BALL.vertices).export(str(points))
    broken = tmp_path / "broken.ply"
    broken.write_bytes(b"ply\nnot really")
    nan = tmp_path / "nan.ply"
    holed = BALL.copy()
    holed.vertices = np.where(np.arange(162)[:, None] == 5, np.nan, BALL.vertices)
    holed.export(str(nan))
    missing, text = tmp_path / "missing.obj", tmp_path / "mesh.txt"
    text.write_text("a mesh")
    for path, words in (
        (points, "holds no triangles"),
        (broken, "cannot be read as a mesh"),
        (missing, "cannot be read as a mesh"),
        (text, "cannot be read as a mesh"),
        (nan, "not finite"),
    ):
        with pytest.raises(ValueError, match=words) as error:
            read_mesh(path, landmarks)
        assert str(error.value).startswith(str(path))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "is no"),
        ("[]", "is no"),
        ('{"points": [[1, 2, 3]]}', "instead of 68 finite points"),
        ('{"points": ' + json.dumps([[0.0, 0.0, None]] * 68) + "}", "68 finite points|is no"),
    ],
)
def test_bad_landmarks_are_refused(tmp_path: Path, content: str, words: str):
    BALL.export(str(tmp_path / "ball.ply"))
    path = tmp_path / "marks.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=words):
        read_mesh(tmp_path / "ball.ply", path)


def test_missing_landmarks_are_asked_for(tmp_path: Path):
    BALL.export(str(tmp_path / "ball.ply"))
    with pytest.raises(ValueError, match=r"no landmarks at .*needed to align"):
        read_mesh(tmp_path / "ball.ply", tmp_path / "nowhere.json")

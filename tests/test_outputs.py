import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image
from trimesh.visual import ColorVisuals

from headrecon.evaluate.held_out import Ends
from headrecon.mesh.cameras import FiducialCameras
from headrecon.outputs import COLUMNS, photo_table, residuals, write_outputs
from headrecon.types import Collection, Reconstruction, View
from tests import artifacts
from tests.sitter import TEMPLATE, head, photo_of

ENDS = Ends(jaw=60.0, neck=115.0, collar=6.0, skin=3.5)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    pictures = {"mesh/sides": Image.new("RGB", (8, 6)), "view+30/average": Image.new("RGB", (8, 6))}
    metrics = {"mesh/error_mm": 1.5, "photos/kept_count": 6}
    found = artifacts.reconstruction()
    atlas = artifacts.atlas(found.mesh)
    write_outputs(tmp_path, "somebody", found, atlas, ("stl",), metrics, pictures, ENDS)
    return tmp_path


def test_all_files_of_the_contract_are_there_and_nothing_else(run_dir: Path) -> None:
    found = sorted(str(p.relative_to(run_dir)) for p in run_dir.rglob("*") if p.is_file())
    assert found == [
        *("mesh/head.glb", "mesh/head.ply", "mesh/head.stl", "mesh/landmarks68.json"),
        *("metrics.json", "photos.csv", "report/flicker/view+30.gif"),
        *("report/index.html", "report/photos.html", "report/residuals.html"),
    ]


def test_the_ply_is_in_millimetres_and_the_glb_in_metres(run_dir: Path) -> None:
    expected = artifacts.head_mesh()
    ply = trimesh.load_mesh(run_dir / "mesh" / "head.ply", process=False)
    glb = trimesh.load_mesh(run_dir / "mesh" / "head.glb", process=False)
    size = artifacts.reconstruction().scale
    np.testing.assert_allclose(ply.vertices, size * expected.vertices, atol=1e-4)
    corners = expected.vertices[expected.faces.flatten()]
    np.testing.assert_allclose(glb.vertices, size * corners / 1000, atol=1e-6)
    marks = json.loads((run_dir / "mesh" / "landmarks68.json").read_text())["points"]
    np.testing.assert_allclose(marks, size * expected.landmarks, atol=1e-3)
    np.testing.assert_array_equal(ply.faces, expected.faces)


def test_vertices_of_the_ply_carry_their_evidence(run_dir: Path) -> None:
    found = artifacts.reconstruction()
    ply = trimesh.load_mesh(run_dir / "mesh" / "head.ply", process=False)
    stored = ply.metadata["_ply_raw"]["vertex"]["data"]
    np.testing.assert_array_equal(stored["source"].ravel(), found.evidence.source)
    np.testing.assert_array_equal(stored["support"].ravel(), found.mesh.support)
    np.testing.assert_allclose(
        stored["deviation"].ravel(), found.scale * found.evidence.deviation, rtol=1e-5
    )


def glb_values(path: Path, attribute: str) -> np.ndarray:
    """An attribute of the only mesh of a binary glTF file, as it is stored."""
    content = path.read_bytes()
    length = int.from_bytes(content[12:16], "little")
    gltf, binary = json.loads(content[20 : 20 + length]), content[28 + length :]
    accessor = gltf["accessors"][gltf["meshes"][0]["primitives"][0]["attributes"][attribute]]
    view = gltf["bufferViews"][accessor["bufferView"]]
    kind = {5121: np.uint8, 5126: np.float32}[accessor["componentType"]]
    stored = binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
    return np.frombuffer(stored, kind).reshape(accessor["count"], -1)


def test_ply_colors_are_encoded(run_dir: Path) -> None:
    ply = trimesh.load_mesh(run_dir / "mesh" / "head.ply", process=False)
    assert isinstance(ply.visual, ColorVisuals)
    # Green is 0.4 everywhere: 102 of 255, and 1.055 * 0.4 ** (1 / 2.4) - 0.055 = 0.6652 encoded.
    assert set(np.asarray(ply.visual.vertex_colors)[:, 1]) == {170}


def test_the_glb_has_outward_normals_so_that_it_looks_smooth(run_dir: Path) -> None:
    place, normal = (
        glb_values(run_dir / "mesh" / "head.glb", name) for name in ("POSITION", "NORMAL")
    )
    assert ((place * normal).sum(axis=1) > 0).all()


def test_landmarks_lie_on_the_surface_of_the_ply(run_dir: Path) -> None:
    points = json.loads((run_dir / "mesh" / "landmarks68.json").read_text())["points"]
    assert np.shape(points) == (68, 3)
    ply = trimesh.load_mesh(run_dir / "mesh" / "head.ply", process=False)
    _, distance, _ = trimesh.proximity.closest_point(ply, points)
    assert distance.max() < 1e-3


def test_every_photo_has_a_row_with_a_verdict(run_dir: Path) -> None:
    with (run_dir / "photos.csv").open(newline="") as file:
        rows = {row["name"]: row for row in csv.DictReader(file)}
    assert len(rows) == 9
    assert tuple(rows["photo 0.jpg"]) == COLUMNS
    assert rows["photo 0.jpg"]["kept"] == "true"
    assert rows["photo 0.jpg"]["view"] == "view+30"
    assert rows["photo 0.jpg"]["azimuth"] == "20.00"
    assert rows["sideways, to the left.jpg"]["kept"] == "false"
    assert "no view" in rows["sideways, to the left.jpg"]["reason"]
    assert rows["photo 0.jpg"]["identity_distance"] == "0.310"
    assert rows["stranger.jpg"]["reason"] == "shows somebody else"
    assert rows["<b>two & more.jpg"]["reason"] == "two faces of about the same size"


def test_a_photo_may_be_in_two_views_and_mirror_images_are_no_photos() -> None:
    found = artifacts.reconstruction()
    one, *_ = found.views
    other = View("view+00", 0.0, 2.0, 0.0, ("photo 0.jpg", "photo 1.jpg (mirrored)"))
    rows = {row["name"]: row for row in photo_table(replace(found, views=(one, other)), ())}
    assert len(rows) == 9
    assert rows["photo 0.jpg"]["view"] == "view+30 view+00"
    assert rows["photo 1.jpg"]["view"] == "view+30"


def photographed() -> Reconstruction:
    """A head, three photos that show it as it is, and one in which a hand is before the cheek."""
    turned = (0.0, 35.0, -40.0, 10.0)
    photos = [
        replace(photo_of(head(), azimuth), name=f"{index}.jpg")
        for index, azimuth in enumerate(turned)
    ]
    photos[1] = replace(photos[1], image=photos[1].image.clone())
    photos[1].image[:, 70:100, 60:90] = 0.05
    cameras = FiducialCameras(None)(tuple(photos), TEMPLATE)
    verdicts = tuple(artifacts.verdict(one.name) for one in photos)
    return replace(
        artifacts.reconstruction(),
        fitted=TEMPLATE,
        mesh=head(),
        collection=Collection(tuple(photos), verdicts),
        cameras=cameras,
        views=(View("view+30", 30.0, 35.0, -4.0, ("1.jpg", "3.jpg")),),
    )


def test_photos_of_the_head_as_it_is_have_no_residual_and_a_hand_has() -> None:
    found = {one.name: one for one in residuals(photographed(), ENDS)}
    for name in ("0.jpg", "2.jpg", "3.jpg"):
        assert found[name].head < 0.7
        assert found[name].face < 0.7
    assert found["1.jpg"].face > 5.0
    assert [found[f"{index}.jpg"].view for index in range(4)] == ["", "view+30", "", "view+30"]


def test_the_residuals_of_a_photo_are_in_its_row() -> None:
    found = photographed()
    compared = tuple(residuals(found, ENDS))
    rows = photo_table(found, compared)
    off = [(one.head, one.face) for one in compared]
    said = [(float(row["grey_levels"]), float(row["face_grey_levels"])) for row in rows[:-1]]
    np.testing.assert_allclose(said, off, atol=1e-3)
    assert rows[-1]["grey_levels"] == ""


def test_metrics_are_numbers_by_name(run_dir: Path) -> None:
    metrics = json.loads((run_dir / "metrics.json").read_text())
    assert metrics == {"mesh/error_mm": 1.5, "photos/kept_count": 6}


def test_the_report_tells_what_was_dropped_and_why(run_dir: Path) -> None:
    page = (run_dir / "report" / "index.html").read_text()
    assert "two faces of about the same size" in page
    assert "6 of 9 photos in 1 views" in page
    assert "mesh/error_mm" in page


def test_the_report_leads_to_the_page_of_the_photos_and_back(run_dir: Path) -> None:
    page, photos = ((run_dir / "report" / f"{n}.html").read_text() for n in ("index", "photos"))
    assert 'href="photos.html"' in page
    assert 'href="index.html"' in photos
    assert "turned or tipped so that it is in no view" in photos.lower()

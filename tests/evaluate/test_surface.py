"""The truth has no error, and each way to be wrong shows in the table."""

from dataclasses import replace
from functools import cache

import pytest
import torch
import trimesh

from headrecon.baselines.mean_head import MeanHead
from headrecon.evaluate.surface import outer, surface_error, truth_from_mesh
from headrecon.tables import ACCURACY, Record, beside_the_mean_head, table
from headrecon.template.build import BuildTemplate
from headrecon.truth import PARTS
from headrecon.types import HeadMesh
from tests.evaluate.heads import mesh_of, truth

MEAN = MeanHead()(BuildTemplate(size=1.0, people=2)(), ())
X = torch.tensor([1.0, 0.0, 0.0])


@cache
def errors_of_mean_head() -> dict[str, float]:
    return surface_error(MEAN, truth())


def shown(mesh: HeadMesh) -> dict[str, list[str]]:
    """The lines of Table A: the entries of the mean head and of the mesh."""
    errors = {"mean_head": errors_of_mean_head(), "mesh": surface_error(mesh, truth())}
    records = [
        Record(row, 0, 0, "", "", measure, number)
        for row, numbers in errors.items()
        for measure, number in numbers.items()
    ]
    records = beside_the_mean_head(records, "face_median_mm")
    lines = table(records, ACCURACY, list(errors)).splitlines()[2:]
    cells = [line.strip("| ").split(" | ") for line in lines]
    return {name: entries for name, *entries in cells}


def test_the_truth_has_no_error():
    errors = surface_error(mesh_of(truth()), truth())
    distances = {name: value for name, value in errors.items() if name.endswith("_mm")}
    # A bald head has no hair to be wrong about.
    icp = {name: distances.pop(name) for name in [*distances] if "icp" in name}
    assert max(value for value in distances.values() if value == value) < 0.01
    # Closest points are looked for among samples, whose spacing remains.
    assert max(icp.values()) < 0.05
    assert errors["face_within_2mm_share"] == errors["seen_covered_share"] == 1.0
    assert errors["face_normal_degrees"] < 0.5
    assert shown(mesh_of(truth()))["face median of mean head"][1] == "0.00"


def test_the_table_does_not_depend_on_place_turn_and_unit_but_tells_them():
    true = mesh_of(truth())
    turned = torch.tensor([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]) / 1000.0
    moved = replace(
        true,
        vertices=true.vertices @ turned.T + 3.0 * X,
        landmarks=true.landmarks @ turned.T + 3.0 * X,
    )
    errors = surface_error(moved, truth())
    assert errors["face_median_mm"] < 0.01
    assert errors["alignment_scale"] == pytest.approx(1000.0, rel=1e-4)
    assert errors["alignment_turn_degrees"] == pytest.approx(90.0, abs=0.01)


def test_a_head_that_is_shifted_by_3_mm_shows():
    true = mesh_of(truth())
    whole = replace(true, vertices=true.vertices + 3.0 * X, landmarks=true.landmarks + 3.0 * X)
    assert shown(whole)["alignment shift mm"][1] == "3.00"
    surface = shown(replace(true, vertices=true.vertices + 3.0 * X))
    # Where the surface faces sideways it is 3 mm off, and less elsewhere.
    assert float(surface["face p90 mm"][1]) > 1.5
    assert float(surface["ears median mm"][1]) > 1.0
    assert float(surface["landmarks mean mm"][1]) == 0.0


def test_a_head_that_is_scaled_by_2_percent_shows():
    true = mesh_of(truth())
    whole = replace(true, vertices=1.02 * true.vertices, landmarks=1.02 * true.landmarks)
    assert shown(whole)["alignment scale"][1] == "0.98"
    surface = shown(replace(true, vertices=1.02 * true.vertices))
    # The face lies about 90 mm from the origin between the ears.
    assert float(surface["face median mm"][1]) > 1.2


def test_a_mirrored_head_shows(monkeypatch: pytest.MonkeyPatch):
    # Far from a surface its nearest points take long to find; a few will do.
    monkeypatch.setattr("headrecon.evaluate.surface._SAMPLES", 2000)
    true, mirror = mesh_of(truth()), torch.tensor([-1.0, 1.0, 1.0])
    flipped = replace(
        true,
        vertices=true.vertices * mirror,
        faces=true.faces.flip(1),
        landmarks=true.landmarks * mirror,
    )
    assert float(shown(flipped)["face median mm"][1]) > 5.0
    assert float(torch.linalg.det(truth_from_mesh(flipped, truth()).matrix)) > 0.0


def test_the_mean_head_posing_as_the_result_shows():
    lines = shown(MEAN)
    assert lines["face median of mean head"] == ["1.00", "1.00"]
    assert all(mean == posing for mean, posing in lines.values())
    assert float(lines["face median mm"][0]) > 0.3


def test_closest_points_flatter():
    errors = errors_of_mean_head()
    assert errors["face_median_after_icp_mm"] < errors["face_median_mm"]


def test_a_lump_that_no_true_point_is_near_shows_from_the_mesh():
    true = mesh_of(truth())
    chin = int((true.vertices - true.landmarks[8]).norm(dim=1).argmin())
    beard = torch.exp(-(((true.vertices - true.vertices[chin]).norm(dim=1) / 15.0) ** 2))
    forward = torch.tensor([0.0, 0.0, 40.0])
    lumpy = replace(true, vertices=true.vertices + beard[:, None] * forward)
    errors = surface_error(lumpy, truth())
    assert errors["face_from_mesh_mean_mm"] > 5.0 * errors["face_mean_mm"]


def test_skull_under_hair_that_hangs_free_is_no_part_of_the_surface(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr("headrecon.evaluate.surface._SAMPLES", 500)
    true, ball = truth(), trimesh.creation.icosphere(subdivisions=3, radius=250.0)
    count = len(ball.vertices)
    hair = torch.zeros(count, len(PARTS), dtype=torch.bool)
    hair[:, PARTS.index("hair")] = True
    covered = replace(
        true,
        vertices=torch.cat([true.vertices, torch.from_numpy(ball.vertices).float()]),
        faces=torch.cat([true.faces, torch.from_numpy(ball.faces) + len(true.vertices)]),
        parts=torch.cat([true.parts, hair]),
        albedo=torch.cat([true.albedo, torch.ones(count, 3)]),
        seen=torch.cat([true.seen, torch.ones(count).to(true.seen)]),
    )
    assert outer(covered).tolist() == [False] * len(true.vertices) + [True] * count
    only_hair = replace(mesh_of(covered), faces=torch.from_numpy(ball.faces) + len(true.vertices))
    assert surface_error(only_hair, covered)["head_p90_mm"] < 0.01
    assert surface_error(mesh_of(true), covered)["hair_median_mm"] > 100.0

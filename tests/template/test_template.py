"""The template is one clean head in the head frame, with its marks where they belong."""

import numpy as np
import pytest
import torch
import trimesh

from headrecon.geometry.surface import at, vertex_normals
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.template.build import BuildTemplate
from headrecon.template.regions import REGIONS
from headrecon.types import Template

EXACT = "donot_use_mm_for_euclid_dist"


def _asymmetry(points: torch.Tensor) -> float:
    mirrored = points * torch.tensor([-1.0, 1.0, 1.0])
    return float(torch.cdist(mirrored, points, compute_mode=EXACT).min(dim=1).values.max())


@pytest.fixture(scope="module")
def template() -> Template:
    return BuildTemplate(size=1.0, people=2)()


def _region_of(template: Template, face: torch.Tensor) -> list[str]:
    corners = template.region[template.faces[face]]
    return [REGIONS[index] for index in corners.mode(dim=1).values.tolist()]


def test_the_surface_is_one_disk_without_degenerate_faces(template):
    mesh = trimesh.Trimesh(template.vertices.numpy(), template.faces.numpy(), process=False)
    assert mesh.body_count == 1
    assert mesh.euler_number == 1
    assert mesh.is_winding_consistent
    assert mesh.area_faces.min() > 0.01
    assert len(np.unique(template.faces)) == len(template.vertices)


def test_faces_are_counter_clockwise_seen_from_outside(template):
    normals = vertex_normals(template.vertices, template.faces)
    assert normals[template.vertices[:, 2].argmax()][2] > 0.8
    assert normals[template.vertices[:, 1].argmax()][1] > 0.9
    assert normals[template.vertices[:, 2].argmin()][2] < -0.8


def test_the_border_is_where_the_plane_cuts_the_shoulders(template):
    edges = torch.cat([template.faces[:, pair] for pair in ([0, 1], [1, 2], [2, 0])])
    unique, count = edges.sort(dim=1).values.unique(dim=0, return_counts=True)
    border = template.vertices[unique[count == 1].unique()]
    assert template.vertices[:, 1].min() > -150
    assert border[:, 1].max() < -130
    assert border[:, 0].abs().max() < 130


def test_the_head_is_symmetric_in_millimetres_with_its_nose_along_z(template):
    vertices = template.vertices
    nose = vertices[vertices[:, 2].argmax()]
    assert abs(float(nose[0])) < 1.0
    assert 100 < float(nose[2]) < 135
    assert 120 < float(vertices[:, 1].max()) < 170
    assert _asymmetry(vertices) < 1e-3


def test_size_scales_the_head_about_the_ear_canals(template):
    larger = BuildTemplate(size=1.5, people=2)()
    assert torch.allclose(larger.vertices, 1.5 * template.vertices)
    assert torch.equal(larger.fiducials.face, template.fiducials.face)


def test_regions_lie_where_their_names_say(template):
    def centre(name: str) -> list[float]:
        return template.vertices[template.region == REGIONS.index(name)].mean(dim=0).tolist()

    assert centre("scalp")[1] > 40
    assert centre("neck")[1] < -40
    assert centre("lips")[2] > 90
    assert centre("lips")[1] < -35
    assert centre("eyes")[1] > 20
    assert centre("eyes")[2] > 75
    ears = template.vertices[template.region == REGIONS.index("ears")]
    assert ears[:, 0].abs().min() > 50


def test_fiducials_are_symmetric_points_of_the_face(template):
    points = at(template.fiducials, template.faces, template.vertices)
    assert points.shape == (468, 3)
    assert _asymmetry(points) < 0.5
    regions = _region_of(template, template.fiducials.face)
    assert "scalp" not in regions
    assert regions.count("neck") < 20


def test_ibug_landmarks_run_from_the_right_ear_to_the_left(template):
    points = at(template.fiducials, template.faces, template.vertices)[list(IBUG68_FROM_MESH)]
    jaw, nose, mouth = points[:17], points[27:31], points[48:68]
    assert (jaw[:, 0].diff() > -0.5).all()
    assert int(jaw[:, 1].argmin()) == 8
    assert (nose[:, 1].diff() < 0).all()
    assert (points[36:42, 0] < 0).all()
    assert (points[42:48, 0] > 0).all()
    assert points[:, 2].argmax() in range(27, 36)
    assert mouth[:, 1].max() < points[31:36, 1].min()


def test_key_points_name_image_left_before_image_right(template):
    eyes, nose, mouth, tragions = at(template.keypoints, template.faces, template.vertices).split(
        [2, 1, 1, 2]
    )
    assert eyes[0, 0] < -20 < 20 < eyes[1, 0]
    assert tragions[0, 0] < -60 < 60 < tragions[1, 0]
    assert eyes[:, 1].min() > nose[0, 1] > mouth[0, 1]
    assert tragions[:, 2].max() < 30 < eyes[:, 2].min()

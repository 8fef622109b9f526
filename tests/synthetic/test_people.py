"""People have hair of their style, eyes that look somewhere, and parts where they belong."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh

from headrecon.synthetic.clothes import border, shoulders
from headrecon.synthetic.hair import STYLES, curtain, draw_style
from headrecon.synthetic.paints import HeadPaint
from headrecon.synthetic.subject import Subject, make_subject
from headrecon.template.model import head_model
from headrecon.template.regions import REGIONS
from headrecon.template.skin import vertex_marks
from headrecon.truth import PARTS
from tests.synthetic.sessions import POPULATION


@pytest.fixture(scope="module")
def subject() -> Subject:
    return make_subject(seed=4, population=POPULATION)


def wearing(subject: Subject, name: str) -> Subject:
    style = draw_style(name, np.random.default_rng(1))
    return replace(subject, styles=(style, style))


def test_the_same_seed_is_the_same_person():
    one, again, other = (make_subject(seed, POPULATION).neutral(0) for seed in (4, 4, 5))
    assert torch.equal(one.vertices, again.vertices)
    assert torch.equal(one.albedo, again.albedo)
    assert not torch.equal(one.albedo[:100], other.albedo[:100])


def test_a_face_may_be_unlike_any_of_the_linear_space():
    """It is off by as much as was said, smoothly, and no coefficients take any of that off."""
    model, population = head_model(), replace(POPULATION, unlike=1.5)
    own = make_subject(4, population).own
    face = model.region == REGIONS.index("face")
    assert torch.equal(make_subject(4, population).own, own)
    assert float(own[face].square().sum(dim=1).mean().sqrt()) == pytest.approx(1.5, abs=1e-3)
    directions = torch.nn.functional.normalize(model.identity.flatten(1).double(), dim=1)
    assert float((directions @ own.double().flatten()).norm()) < 1e-3 * float(own.norm())
    one, two = model.faces[:, 0], model.faces[:, 1]
    along = (model.mean[one] - model.mean[two]).norm(dim=1).clamp_min(1.0)
    assert float(((own[one] - own[two]).norm(dim=1) / along).quantile(0.99)) < 0.5


@pytest.mark.parametrize("name", STYLES)
def test_hair_adds_volume_to_the_scalp_and_never_to_the_face(subject, name):
    someone = wearing(subject, name)
    thickness = someone.swellings[0].norm(dim=-1)
    face = someone.neutral(0).parts[: len(thickness), PARTS.index("face")]
    low, high = {"bald": (0, 0), "cropped": (1, 9), "short": (4, 30), "long": (6, 30)}[name]
    assert low <= thickness.max() <= high
    assert thickness[face].max() < 1.0
    assert len(someone.curtains[0][1]) == (5616 if name == "long" else 0)


def test_a_curtain_is_a_tube_that_hangs_beside_and_behind_the_face(subject):
    style = replace(draw_style("long", np.random.default_rng(2)), length=90.0)
    someone = replace(subject, styles=(style, style))
    head = someone.head(torch.zeros(len(subject.model.actions)), 0)
    vertices, faces = curtain(head, subject.model.faces, style)
    mesh = trimesh.Trimesh(vertices.numpy(), faces.numpy(), process=False)
    assert mesh.is_winding_consistent
    assert mesh.euler_number == 0
    assert vertices[:, 1].min() < -60.0
    assert vertices[:, 2].max() < 60.0
    outside = mesh.face_normals[faces.shape[0] // 4] @ [0.0, 0.0, 1.0]
    assert abs(outside) <= 1.0
    back = mesh.triangles_center[:, 2].argmin()
    assert mesh.face_normals[back, 2] < 0


def test_eyes_follow_the_gaze(subject):
    marks = vertex_marks(subject.model)
    eyes = marks[:, 3] > 0.5

    def darkest(gaze: tuple[float, float]) -> float:
        look = replace(subject.look, gaze=gaze)
        albedo = HeadPaint(subject.model, look)(marks).albedo.sum(axis=1)
        left = eyes & (marks[:, 0] > 0)
        weight = np.exp(-20.0 * albedo[left])
        return float((weight * marks[left, 0]).sum() / weight.sum())

    assert darkest((4.0, 0.0)) > darkest((0.0, 0.0)) + 1.0 > darkest((-4.0, 0.0)) + 2.0


def test_clothes_continue_the_head_with_the_same_winding(subject):
    head = subject.head(torch.zeros(len(subject.model.actions)), 0)
    rim = border(subject.model.faces)
    vertices, faces = shoulders(head[rim])
    assert torch.allclose(vertices[: len(rim)], head[rim], atol=1e-3)
    joined = torch.cat([rim, torch.arange(len(rim), len(vertices)) + len(head)])
    whole = torch.cat([subject.model.faces, joined[faces]])
    both = torch.cat([head, vertices])
    assert trimesh.Trimesh(both.numpy(), whole.numpy(), process=False).is_winding_consistent

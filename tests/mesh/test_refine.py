"""Refinement on photos that the model itself has rendered."""

from dataclasses import replace

import pytest
import torch

from headrecon.evaluate.reprojection import reproject
from headrecon.geometry.camera import project
from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.descent import VARIABLES
from headrecon.mesh.nudge import Deviation, nudged_camera
from headrecon.mesh.refine import TERMS, Refine
from headrecon.mesh.repaint import KeepPaint
from headrecon.mesh.silhouette import Contours
from headrecon.types import (
    REGIONS,
    Camera,
    HeadMesh,
    Refinement,
    Stack,
    SurfacePoints,
    Template,
)
from tests.mesh.eggs import begun, head, portraits_of, shots, solved
from tests.mesh.test_repaint import REPAINT

REFINE = Refine(
    steps=20,
    photos=4,
    side=64,
    parts=[["face"]],
    aside=0,
    paint=KeepPaint(),
    vertex_rate=0.2,
    diffusion=[8, 4],
    light_order=1,
    glossy=False,
    expression=False,
    backtracking=[1.0],
    robust=0.5,
    camera_rate=0.0,
    camera_deviation=Deviation(turn=1.0, shift=1.0, scale=0.01),
    contours=Contours(photos=6, direction=15.0, band=0.25, reach=12.0),
    grazing=0.3,
    photometric=100.0,
    outline=0.05,
    fiducial=0.0,
    agreement=0.0,
    anchor=5.0,
    still=0.01,
    laplacian=1.0,
    normal=0.1,
    seed=0,
)
BRIEF = replace(REFINE, steps=8, diffusion=[8])


def template(mesh: HeadMesh, part: str, fitted: bool) -> Template:
    """The mesh as a template, all of which is this part."""
    marks = SurfacePoints(torch.zeros(468, dtype=torch.int64), torch.full((468, 3), 1 / 3))
    region = torch.full((len(mesh.vertices),), REGIONS.index(part))
    people = torch.zeros(1, *mesh.vertices.shape)
    return Template(mesh.vertices, mesh.faces, region, marks, marks, people, fitted)


def refined(
    mesh: HeadMesh, photos: tuple[Stack, ...], part: str = "face", fitted: bool = False
) -> Refinement:
    """Briefly."""
    return through(BRIEF, begun(mesh, photos), photos, template(mesh, part, fitted))


def through(
    refine: Refine, state: Refinement, photos: tuple[Stack, ...], kind: Template
) -> Refinement:
    """All epochs."""
    seen = solved(photos), kind, portraits_of(photos)[0]
    for _ in range(refine.epochs):
        state = refine(state, *seen)
    return state


def mean_error(mesh: HeadMesh, photos: tuple[Stack, ...]) -> float:
    return sum(reproject(mesh, stack).mean for stack in photos) / len(photos)


@pytest.fixture(scope="module")
def longer() -> tuple[Stack, ...]:
    return shots(head(1.25))


def test_a_mesh_reprojects_into_its_own_renderings(longer: tuple[Stack, ...]):
    assert mean_error(head(1.25), longer) < 1.5
    assert mean_error(head(0.8), longer) > 3.0 * mean_error(head(1.25), longer)


def test_what_the_mesh_fails_to_cover_counts_as_black(longer: tuple[Stack, ...]):
    small = replace(head(1.25), vertices=0.5 * head(1.25).vertices)
    assert mean_error(small, longer) > 40.0


def test_refinement_goes_towards_the_truth(longer: tuple[Stack, ...]):
    start, truth = head(1.0), head(1.25)
    whole = replace(REFINE, paint=REPAINT, vertex_rate=0.5)
    kind, state = template(start, "face", False), begun(start, longer)
    end = through(whole, state, longer, kind)
    before, after = (
        mean_error(REPAINT(one.mesh, portraits_of(longer)[0], one.cameras, kind), longer)
        for one in (state, end)
    )
    assert after < 0.8 * before
    front = truth.vertices[:, 2] > 10.0
    before, after = (
        (mesh.vertices - truth.vertices)[front].norm(dim=1).mean() for mesh in (start, end.mesh)
    )
    assert float(after) < 0.9 * float(before)
    assert end.losses.shape == (2 * REFINE.steps, len(TERMS))
    assert end.gradients.shape == (2 * REFINE.steps, len(VARIABLES))
    assert float(end.gradients.min()) > 0.0
    for epoch in end.rates[:, 0].reshape(2, -1):
        assert float(epoch[0]) == pytest.approx(whole.vertex_rate)
        assert bool((epoch.diff() < 0.0).all())
        assert float(epoch[-1]) < 0.02 * whole.vertex_rate


@pytest.mark.parametrize("height", [3.0, -3.0])
def test_a_known_bump_or_dent_is_recovered_to_a_tenth(height: float):
    start = head(1.25)
    normals = vertex_normals(start.vertices, start.faces)
    away = (start.vertices - torch.tensor([8.0, 5.0, 40.0])).norm(dim=1)
    bump = height * torch.exp(-0.5 * (away / 14.0).square())
    photos = shots(replace(start, vertices=start.vertices + bump[:, None] * normals))
    long = replace(REFINE, steps=30, diffusion=[16, 8, 4])
    state = through(long, begun(start, photos), photos, template(start, "face", False))
    found = ((state.mesh.vertices - start.vertices) * normals).sum(dim=1)
    off, on_bump = found - bump, bump.abs() > 0.3
    assert float(off[on_bump].square().mean()) < 0.1**2 * float(bump[on_bump].square().mean())
    assert float(off.square().mean().sqrt()) < 0.1 * float(bump.abs().max())


def test_the_skin_of_a_fitted_template_is_held(longer: tuple[Stack, ...]):
    start, moved = head(1.1), {}
    for fitted in (True, False):
        kind = template(start, "face", fitted)
        end = through(REFINE, begun(start, longer), longer, kind).mesh
        moved[fitted] = float((end.vertices - start.vertices).norm(dim=1).mean())
    assert moved[True] < 0.5 * moved[False]


def test_what_is_none_of_the_parts_is_not_compared_with_photos(longer: tuple[Stack, ...]):
    start = head(1.1)
    only = replace(BRIEF, outline=0.0, normal=0.0)
    end = through(only, begun(start, longer), longer, template(start, "scalp", True))
    assert torch.allclose(end.mesh.vertices, start.vertices, atol=1e-3)


def test_a_mesh_that_agrees_hardly_moves(longer: tuple[Stack, ...]):
    end = refined(head(1.25), longer)
    assert float((end.mesh.vertices - head(1.25).vertices).norm(dim=1).mean()) < 1.0
    assert mean_error(end.mesh, longer) < 3.0


def test_landmarks_move_with_the_surface(longer: tuple[Stack, ...]):
    end = refined(head(1.0), longer)
    assert torch.allclose(end.mesh.landmarks, end.mesh.vertices[:68], atol=1e-2)


def test_the_same_seed_gives_the_same_mesh_up_to_the_order_of_sums(longer: tuple[Stack, ...]):
    one, other = (refined(head(1.0), longer) for _ in range(2))
    # Threads add up gradients in any order; the descent amplifies the last digit a little.
    assert torch.allclose(one.mesh.vertices, other.mesh.vertices, atol=0.05)


def test_brightness_that_all_vertices_share_is_the_lights(longer: tuple[Stack, ...]):
    mesh = head(1.1)
    dark = replace(mesh, albedo=0.5 * mesh.albedo)
    assert mean_error(dark, longer) == pytest.approx(mean_error(mesh, longer), rel=1e-2)


def test_stains_of_the_albedo_do_not_bend_the_surface(longer: tuple[Stack, ...]):
    """The true head, in an albedo that no photo has: painted first, it stays where it is."""
    truth = head(1.25)
    stain = torch.where(truth.vertices[:, :1] > 0.0, 0.6, 1.0)
    stained = replace(truth, albedo=truth.albedo * stain)
    kind, front = template(truth, "face", False), truth.vertices[:, 2] > 25.0
    bent = {}
    for paint in (REPAINT, KeepPaint()):
        end = through(replace(REFINE, paint=paint), begun(stained, longer), longer, kind).mesh
        bent[paint] = float((end.vertices - truth.vertices)[front].norm(dim=1).mean())
        assert torch.equal(end.albedo, stained.albedo)
    assert bent[REPAINT] < 0.3 * bent[KeepPaint()]


def test_the_camera_of_a_photo_is_found_that_is_a_little_off(longer: tuple[Stack, ...]):
    move = torch.tensor([0.02, -0.015, 0.01, 0.8, -0.6, 0.012])
    photos = longer[:1]
    state = begun(head(1.25), photos)
    true, *others = state.cameras
    off = nudged_camera(true, move)
    state = replace(state, cameras=(off, *others))
    still = replace(REFINE, vertex_rate=0.0, camera_rate=0.2, steps=60, still=0.0)
    end = through(still, state, photos, template(head(1.25), "face", True))
    points = head(1.25).vertices

    def away(camera: Camera, from_true: Camera) -> float:
        """Pixels between where two cameras see the head."""
        apart = project(points, camera)[:, :2] - project(points, from_true)[:, :2]
        return float(apart.norm(dim=1).mean())

    assert away(off, true) > 0.4
    assert away(end.cameras[0], true) < 0.3 * away(off, true)


def test_hair_follows_the_outlines_of_photos_and_skin_that_is_held_does_not(
    longer: tuple[Stack, ...],
):
    start = head(1.1)
    only = replace(REFINE, photometric=0.0, outline=5.0, anchor=0.1)
    moved = {
        part: through(only, begun(start, longer), longer, template(start, part, True)).mesh
        for part in ("scalp", "face")
    }
    front = start.vertices[:, 2] > 25.0
    grown = (moved["scalp"].vertices - start.vertices)[front][:, 2]
    assert float(grown.mean()) > 0.5
    assert torch.allclose(moved["face"].vertices, start.vertices, atol=0.1)


def test_normals_and_fiducials_of_the_views_pull_where_light_does_not(longer: tuple[Stack, ...]):
    """Both from the true head; photos are not looked at."""
    start = head(1.1)
    away = {}
    for name in ("agreement", "fiducial"):
        only = replace(REFINE, photometric=0.0, outline=0.0, vertex_rate=0.3, **{name: 20.0})
        end = through(only, begun(start, longer), longer, template(start, "face", False))
        losses = end.losses[:, TERMS.index(name)]
        away[name] = float(losses[-6:].mean() / losses[:6].mean())
    assert away["agreement"] < 0.5
    assert away["fiducial"] < 0.9

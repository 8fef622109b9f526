"""The heads that a result has to be better than."""

from dataclasses import replace

import pytest
import torch
import trimesh

from headrecon.baselines.fiducial_warp import FiducialWarp
from headrecon.baselines.mean_head import MeanHead
from headrecon.baselines.morphable_model import MorphableModel, principal_components
from headrecon.baselines.single_photo import SinglePhoto
from headrecon.baselines.space_carving import SpaceCarving
from headrecon.geometry.camera import project
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.similarity import fit_similarity
from headrecon.geometry.surface import at, vertex_normals
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.template.build import BuildTemplate
from headrecon.types import REGIONS, Camera, Portrait
from tests import artifacts

TEMPLATE = BuildTemplate(size=1.0, people=2)()
REST = at(TEMPLATE.fiducials, TEMPLATE.faces, TEMPLATE.vertices)
WARP = FiducialWarp(rounds=8, max_azimuth=50.0, prior=0.01, smoothing=0.0)


def seen(places: torch.Tensor, azimuth: float, elevation: float) -> Portrait:
    """A portrait whose fiducials are points seen by a weak-perspective camera."""
    camera = Camera(view_from_head(azimuth, elevation), 0.5, torch.tensor([60.0, 70.0]), 140, 120)
    fiducials = project(places, camera)[:, :2]
    portrait = artifacts.portrait(f"{azimuth}")
    return Portrait(**{**vars(portrait), "fiducials": fiducials, "azimuth": azimuth})


def portraits(places: torch.Tensor) -> tuple[Portrait, ...]:
    angles = ((-40.0, 5.0), (-20.0, -10.0), (0.0, 0.0), (15.0, 12.0), (35.0, -5.0))
    return tuple(seen(places, *turn) for turn in angles)


def moved(mesh) -> torch.Tensor:
    """Fiducials of a warped template."""
    return at(TEMPLATE.fiducials, TEMPLATE.faces, mesh.vertices)


def test_the_mean_head_is_the_template_whatever_the_photos_show():
    mesh = MeanHead()(TEMPLATE, portraits(1.3 * REST))
    assert torch.equal(mesh.vertices, TEMPLATE.vertices)
    assert torch.allclose(mesh.landmarks, REST[list(IBUG68_FROM_MESH)])
    assert not mesh.support.any()


def test_without_photos_the_warped_template_stays_as_it_is():
    assert torch.allclose(WARP(TEMPLATE, ()).vertices, TEMPLATE.vertices, atol=1e-4)
    sideways = tuple(seen(1.2 * REST, turn, 0.0) for turn in (-70.0, 65.0))
    assert torch.allclose(WARP(TEMPLATE, sideways).vertices, TEMPLATE.vertices, atol=1e-4)


def test_a_face_of_the_template_s_shape_is_left_alone():
    places = moved(replace(WARP, prior=2.0)(TEMPLATE, portraits(REST)))
    # Size and place are told by no photo and drift a little.
    linear, shift = fit_similarity(places, REST, torch.ones(468))
    assert (places @ linear.T + shift - REST).norm(dim=1).max() < 0.5


def test_a_longer_nose_and_a_wider_mouth_are_found_from_their_motion():
    bump = torch.exp(-(((REST - REST[1]).norm(dim=1) / 18.0) ** 2))[:, None]
    places = REST + bump * torch.tensor([0.0, 0.0, 9.0])
    mesh = WARP(TEMPLATE, portraits(places))
    error = (moved(mesh) - places).norm(dim=1)
    assert (REST - places).norm(dim=1).max() > 8.0
    assert error.median() < 0.7
    assert error.max() < 2.5
    tip = int(bump[:, 0].argmax())
    assert moved(mesh)[tip, 2] - REST[tip, 2] == pytest.approx(9.0, abs=2.0)


def silhouettes(vertices: torch.Tensor) -> tuple[Portrait, ...]:
    """Outlines of a head from all sides."""
    shown = []
    for azimuth in (-90.0, -60.0, -30.0, 0.0, 30.0, 60.0, 90.0):
        camera = Camera(view_from_head(azimuth), 0.5, torch.tensor([80.0, 75.0]), 160, 160)
        mask = rasterize(vertices, TEMPLATE.faces, camera).mask.float()
        marks = at(TEMPLATE.fiducials, TEMPLATE.faces, vertices)
        portrait = replace(
            artifacts.portrait(f"{azimuth}"),
            image=torch.full((3, 160, 160), 0.5),
            mask=mask,
            fiducials=project(marks, camera)[:, :2],
            visible=torch.ones(468, dtype=torch.bool),
        )
        shown.append(replace(portrait, azimuth=azimuth, elevation=0.0, roll=0.0))
    return tuple(shown)


CARVE = SpaceCarving(
    distance=None,
    voxel=5.0,
    margin=40.0,
    level=0.8,
    smoothing=0.5,
    jaw=60.0,
    neck=115.0,
    collar=6.0,
)


def test_carving_leaves_the_hull_of_the_outlines():
    mesh = replace(CARVE, level=0.95)(TEMPLATE, silhouettes(TEMPLATE.vertices))
    hull = trimesh.Trimesh(mesh.vertices.numpy(), mesh.faces.numpy(), process=False)
    assert hull.is_watertight
    assert hull.volume > 0.0
    # The hull keeps what no outline shows, the hollow of the eyes, and cuts nothing away.
    above = TEMPLATE.vertices[TEMPLATE.vertices[:, 1] > -50.0]
    outside = trimesh.proximity.signed_distance(hull, above[::40].numpy())
    assert outside.min() > -1.5 * CARVE.voxel
    extent = hull.bounds[1] - hull.bounds[0]
    true = (above.amax(dim=0) - above.amin(dim=0)).numpy()
    assert extent[[0, 2]] == pytest.approx(true[[0, 2]], abs=2.0 * CARVE.voxel)
    assert torch.equal(mesh.landmarks, REST[list(IBUG68_FROM_MESH)])


def test_one_bad_outline_does_not_carve_the_head_away():
    photos = silhouettes(TEMPLATE.vertices)
    bad = replace(photos[3], name="bad", mask=torch.zeros(160, 160))
    spoiled = CARVE(TEMPLATE, (*photos, *photos[3:4] * 5, bad))
    clean = CARVE(TEMPLATE, (*photos, *photos[3:4] * 5))
    one, other = (mesh.vertices.amax(0) - mesh.vertices.amin(0) for mesh in (spoiled, clean))
    assert torch.allclose(one, other, atol=2.0 * CARVE.voxel)


def test_there_is_nothing_to_carve_with_or_nothing_left():
    with pytest.raises(ValueError, match="no outline"):
        CARVE(TEMPLATE, ())
    nobody = tuple(replace(p, mask=torch.zeros(160, 160)) for p in silhouettes(TEMPLATE.vertices))
    with pytest.raises(ValueError, match="nothing"):
        CARVE(TEMPLATE, nobody)


SPACE = BuildTemplate(size=1.0, people=40)
MODEL = MorphableModel(
    space=SPACE, components=30, rounds=8, max_azimuth=50.0, photos=1e4, free=468.0, loose=1.0
)


def test_a_head_of_the_space_is_found_by_its_fiducials():
    true = TEMPLATE.vertices + SPACE().people[7]
    mesh = MODEL(TEMPLATE, portraits(at(TEMPLATE.fiducials, TEMPLATE.faces, true)))
    before = surface_distance(TEMPLATE.vertices, true)
    assert surface_distance(mesh.vertices, true) < 0.35 * before


def surface_distance(vertices: torch.Tensor, true: torch.Tensor) -> float:
    """Of the face's vertices, after a similarity, which photos do not tell."""
    face = TEMPLATE.region == REGIONS.index("face")
    linear, shift = fit_similarity(vertices[face], true[face], torch.ones(int(face.sum())))
    return float((vertices[face] @ linear.T + shift - true[face]).norm(dim=1).median())


def test_without_photos_the_model_is_the_mean_and_few_of_them_change_it_less():
    assert torch.equal(MODEL(TEMPLATE, ()).vertices, TEMPLATE.vertices)
    true = TEMPLATE.vertices + SPACE().people[7]
    photos = portraits(at(TEMPLATE.fiducials, TEMPLATE.faces, true))
    sure, unsure = (replace(MODEL, photos=n)(TEMPLATE, photos).vertices for n in (1e4, 0.1))
    assert (unsure - TEMPLATE.vertices).norm() < 0.7 * (sure - TEMPLATE.vertices).norm()


def test_principal_components_carry_all_variance_of_the_people():
    people = torch.randn(12, 30, 3, generator=torch.Generator().manual_seed(0))
    parts = principal_components(people, 12).flatten(1)
    scatter = people.flatten(1).T @ people.flatten(1) / 12
    assert torch.allclose(parts.T @ parts, scatter, atol=1e-3)


def shaded(vertices: torch.Tensor) -> Portrait:
    """A frontal photo of a head of one colour in soft light from the side."""
    camera = Camera(view_from_head(0.0), 0.6, torch.tensor([100.0, 90.0]), 200, 200)
    fragments = rasterize(vertices, TEMPLATE.faces, camera)
    normals = interpolate(fragments, TEMPLATE.faces, vertex_normals(vertices, TEMPLATE.faces))
    normals = torch.nn.functional.normalize(normals, dim=0)
    light = 0.3 + torch.einsum("chw,c->hw", normals, torch.tensor([0.12, 0.1, 0.15]))
    return replace(
        artifacts.portrait("front"),
        image=(light * fragments.mask).expand(3, -1, -1),
        mask=fragments.mask.float(),
        fiducials=project(REST, camera)[:, :2],
        visible=torch.ones(468, dtype=torch.bool),
        azimuth=0.0,
        elevation=0.0,
        roll=0.0,
    )


def test_the_shading_of_one_photo_tells_a_bump_from_the_reference():
    cheek = REST[50]
    bump = torch.exp(-(((TEMPLATE.vertices - cheek).norm(dim=1) / 12.0) ** 2))
    true = TEMPLATE.vertices + 3.0 * bump[:, None] * torch.tensor([0.0, 0.0, 1.0])
    mesh = SinglePhoto(smooth=0.01)(TEMPLATE, (shaded(true),))
    off = (mesh.vertices - TEMPLATE.vertices)[:, 2]
    raised = (bump > 0.5) & (mesh.support > 0)
    assert 1.0 < float(off[raised].mean()) < 4.0
    same = SinglePhoto(smooth=0.01)(TEMPLATE, (shaded(TEMPLATE.vertices),))
    assert float((same.vertices - TEMPLATE.vertices).norm(dim=1).quantile(0.9)) < 0.3


def test_the_most_frontal_photo_is_taken_and_none_is_refused():
    front = shaded(TEMPLATE.vertices)
    aside = replace(front, name="aside", azimuth=40.0, image=torch.zeros_like(front.image))
    one, both = (SinglePhoto(1.0)(TEMPLATE, photos) for photos in ((front,), (aside, front)))
    assert torch.equal(one.vertices, both.vertices)
    with pytest.raises(ValueError, match="no photo"):
        SinglePhoto(1.0)(TEMPLATE, ())

"""Surfaces that one camera has solved, as another camera sees them."""

import torch

from headrecon.geometry.camera import pixel_centres, unproject
from headrecon.geometry.rotation import view_from_head
from headrecon.render.reproject import lift, pixel_faces, see_surface
from headrecon.types import Camera, DepthMap, NormalField, Surface

RADIUS = 18.0
"""Pixels; half as many millimetres, as the scale is 2."""


def camera(azimuth: float) -> Camera:
    return Camera(view_from_head(azimuth, 5.0), 2.0, torch.tensor([26.0, 23.0]), 48, 56)


def sphere(azimuth: float) -> Surface:
    """A sphere around the origin of the head frame, solved from one side."""
    seen_by = camera(azimuth)
    xy = (pixel_centres(48, 56) - seen_by.origin) / RADIUS
    squared = (xy**2).sum(dim=-1)
    mask = squared < 0.98
    z = (1.0 - squared).clamp_min(0.0).sqrt()
    normals = torch.stack([xy[..., 0], -xy[..., 1], z]) * mask
    field = NormalField(
        label="view+00",
        camera=seen_by,
        normals=normals,
        deviation=mask.float(),
        albedo=mask.float().expand(3, -1, -1),
        mask=mask,
        support=mask.float(),
        lighting=torch.zeros(1, 4),
        fiducials=torch.zeros(468, 2),
    )
    return Surface(field, DepthMap("view+00", seen_by, RADIUS * z * mask, mask))


def test_a_sphere_looks_alike_from_everywhere_but_only_its_solved_side_is_seen():
    seen = see_surface(sphere(0.0), camera(40.0), 0.1)
    truth = sphere(40.0)
    inner = seen.mask & (truth.normals.normals[2] > 0.3)
    assert float((seen.z - truth.depth.z)[inner].abs().max()) < 0.3
    cosine = (seen.normals * truth.normals.normals).sum(dim=0)[inner]
    assert float(cosine.min()) > 0.995
    # A head that turns its front to the image right shows what lay on its image left; that side
    # was turned away from the first camera, and is missing.
    right, left = seen.mask[:, 30:].sum(), seen.mask[:, :22].sum()
    assert int(right) > 2 * int(left)


def test_steep_pixels_of_the_first_camera_are_not_believed():
    wide, narrow = (see_surface(sphere(0.0), camera(0.0), limit) for limit in (0.1, 0.8))
    assert int(narrow.mask.sum()) < 0.5 * int(wide.mask.sum())


def test_faces_of_pixels_are_counter_clockwise_for_the_viewer():
    faces = pixel_faces(torch.ones(3, 4, dtype=torch.bool))
    assert len(faces) == 12
    xy = pixel_centres(3, 4).reshape(-1, 2)[faces] * torch.tensor([1.0, -1.0])
    a, b = xy[:, 1] - xy[:, 0], xy[:, 2] - xy[:, 0]
    assert bool((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] > 0.0).all())


def test_lifted_points_lie_on_the_sphere_with_its_normals():
    surface = sphere(30.0)
    xy = torch.tensor([[30.3, 20.1], [20.0, 27.7], [2.0, 2.0]])
    places, normals, whole = lift(surface, xy)
    assert whole.tolist() == [True, True, False]
    assert torch.allclose(places[:2].norm(dim=1), torch.full((2,), RADIUS / 2.0), atol=0.05)
    assert torch.allclose(places[:2] / (RADIUS / 2.0), normals[:2], atol=0.01)
    z = torch.zeros(2, 1)
    flat = unproject(torch.cat([xy[:2], z], dim=1), surface.depth.camera)
    # Lifting moves a point along the line of sight only.
    moved = (places[:2] - flat) @ surface.depth.camera.view_from_head.T
    assert float(moved[:, :2].abs().max()) < 1e-4

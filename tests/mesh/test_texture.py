from dataclasses import replace

import pytest
import torch
import trimesh
from kornia.color import rgb_to_linear_rgb

from headrecon.mesh.texture import Texture
from headrecon.types import Camera, DepthMap, Head, HeadMesh, NormalField, Surface

RADIUS, SIZE = 80.0, 256
CAMERA = Camera(torch.eye(3), 1.4, torch.tensor([128.0, 128.0]), 256, 256)
TEXTURE = Texture(size=SIZE, tolerance=4.0, most_detail=2.0, smoothness=0.1, gutter=2)


def ball() -> HeadMesh:
    sphere = trimesh.creation.icosphere(3, radius=RADIUS)
    vertices = torch.from_numpy(sphere.vertices.copy()).float()
    faces = torch.from_numpy(sphere.faces.copy()).long()
    albedo = torch.tensor([0.5, 0.4, 0.3]).expand(len(vertices), 3).clone()
    return HeadMesh(vertices, faces, albedo, torch.ones(len(vertices)), vertices[:68])


def stripes(x: torch.Tensor) -> torch.Tensor:
    """Finer than the triangles, which are 9 mm wide."""
    return 1.0 + 0.3 * torch.sin(2.0 * torch.pi * x / 8.0)


def seen(gain: float) -> Surface:
    """The ball from the front; its stripes, and any color, in the view's own exposure."""
    y, x = torch.meshgrid(torch.arange(256) + 0.5, torch.arange(256) + 0.5, indexing="ij")
    x_mm, y_mm = (x - 128.0) / 1.4, (128.0 - y) / 1.4
    squared = RADIUS**2 - x_mm**2 - y_mm**2
    mask, height = squared > 0.0, squared.clamp_min(0.0).sqrt()
    normals = torch.stack([x_mm, y_mm, height]) / RADIUS * mask
    albedo = gain * torch.tensor([0.2, 0.6, 0.1])[:, None, None] * stripes(x_mm) * mask
    nothing = torch.zeros(256, 256)
    field = NormalField(
        *("view+00", CAMERA, normals, nothing, albedo, mask, 5.0 * mask),
        *(torch.zeros(5, 4), torch.zeros(468, 2)),
    )
    return Surface(field, DepthMap("view+00", CAMERA, 1.4 * height * mask, mask))


@pytest.fixture(scope="module")
def painted() -> tuple[torch.Tensor, torch.Tensor]:
    """Places on the ball, and the linear colors of the texels there."""
    mesh = ball()
    atlas = TEXTURE(mesh, Head((seen(1.0),)))
    shares = torch.tensor(
        [[0.6, 0.2, 0.2], [0.2, 0.6, 0.2], [0.2, 0.2, 0.6], [1 / 3, 1 / 3, 1 / 3]]
    )
    corners = mesh.vertices[atlas.vertex][atlas.faces]
    place = torch.einsum("sc,fcx->fsx", shares, corners).flatten(0, 1)
    uv = torch.einsum("sc,fcx->fsx", shares, atlas.uv[atlas.faces]).flatten(0, 1)
    column, row = (uv * SIZE).long().T
    colors = rgb_to_linear_rgb(atlas.picture.float()[None] / 255.0)[0]
    return place, colors[:, row, column].T


def test_every_triangle_is_in_the_picture_once() -> None:
    mesh = ball()
    atlas = TEXTURE(mesh, Head(()))
    assert torch.equal(atlas.vertex[atlas.faces].sort(dim=1).values, mesh.faces.sort(dim=1).values)
    assert float(atlas.uv.min()) >= 0.0
    assert float(atlas.uv.max()) <= 1.0


def test_tones_are_the_vertices_and_no_texel_is_black() -> None:
    atlas = TEXTURE(ball(), Head(()))
    colors = rgb_to_linear_rgb(atlas.picture.float()[None] / 255.0)[0].flatten(1).T
    assert torch.allclose(colors, torch.tensor([0.5, 0.4, 0.3]), atol=0.01)


def test_detail_is_the_views_and_tone_is_not(painted: tuple[torch.Tensor, torch.Tensor]) -> None:
    place, color = painted
    front = place[:, 2] > 0.8 * RADIUS
    ratio = color[front] / torch.tensor([0.5, 0.4, 0.3])
    # Green as bright as it is in the view would be half as bright again.
    assert torch.allclose(ratio.mean(dim=0), torch.ones(3), atol=0.1)
    wanted = stripes(place[front, 0])
    together = torch.corrcoef(torch.stack([ratio[:, 1].log(), wanted.log()]))[0, 1]
    assert float(together) > 0.8
    back = place[:, 2] < 0.0
    assert torch.allclose(color[back], torch.tensor([0.5, 0.4, 0.3]), atol=0.01)


def test_exposure_of_a_view_changes_nothing() -> None:
    one = TEXTURE(ball(), Head((seen(1.0),)))
    other = TEXTURE(ball(), Head((seen(0.3),)))
    assert int((one.picture.int() - other.picture.int()).abs().max()) <= 1


def test_a_view_that_shows_another_surface_says_nothing() -> None:
    surface = seen(1.0)
    behind = replace(surface.depth, z=surface.depth.z - 20.0)
    off = TEXTURE(ball(), Head((replace(surface, depth=behind),)))
    none = TEXTURE(ball(), Head(()))
    assert int((off.picture.int() - none.picture.int()).abs().max()) <= 1

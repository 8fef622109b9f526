import numpy as np
import pytest
import torch
from PIL import Image

from headrecon.draw.panel import PAPER
from headrecon.draw.rendered import beside_its_average, beside_photos
from headrecon.draw.turntable import framing, plaster, turntable
from headrecon.geometry.camera import project
from headrecon.mesh.refine import not_yet_refined
from tests import artifacts


def lean(drawn: Image.Image) -> float:
    """How far the middle of the silhouette lies to the right of its mean column."""
    columns = np.flatnonzero((np.asarray(drawn) != PAPER).any(axis=-1)) % drawn.width
    return float((columns.min() + columns.max()) / 2 - columns.mean())


def test_positive_azimuth_turns_the_nose_to_the_image_right() -> None:
    mesh = artifacts.head_mesh()
    left, front, right = (
        lean(plaster(mesh.vertices, mesh.faces, [framing(mesh.vertices, azimuth, 100)]))
        for azimuth in (-90.0, 0.0, 90.0)
    )
    assert left < -3
    assert abs(front) < 1
    assert right > 3


@pytest.mark.parametrize("azimuth", [-90.0, -30.0, 0.0, 60.0])
def test_the_whole_mesh_is_in_the_frame(azimuth: float) -> None:
    vertices = artifacts.head_mesh().vertices * torch.tensor([1.0, 1.4, 0.8]) + 50.0
    xy = project(vertices, framing(vertices, azimuth, 120))[:, :2]
    assert float(xy.min()) > 1.0
    assert float(xy.max()) < 119.0


def test_five_sides_are_drawn_with_and_without_color() -> None:
    drawn = turntable(artifacts.head_mesh(), size=64)
    assert drawn.width == 5 * 68 + 4
    pixels = np.asarray(drawn.convert("HSV"))
    above, below = pixels[:68], pixels[72:136]
    assert above[..., 1].max() == 0
    assert below[..., 1].max() > 50


def test_a_mesh_is_rendered_beside_the_average_photo() -> None:
    assert beside_its_average(artifacts.head_mesh(), artifacts.stack()).width == 2 * 64 + 4


def test_photos_from_the_most_different_sides_are_drawn_beside_the_mesh() -> None:
    photos = [artifacts.portrait(f"{azimuth}.jpg", azimuth) for azimuth in (0.0, 80.0, -60.0, 5.0)]
    mirrored_too = 2 * len(photos)
    begun = not_yet_refined(artifacts.head_mesh(), (artifacts.PHOTOGRAPHER,) * mirrored_too)
    one, four, many = (beside_photos(begun, photos, most) for most in (1, 4, 9))
    assert one.width < four.width
    assert one.height < four.height
    assert many.size == four.size
    assert beside_photos(begun, [], 4).width < one.width

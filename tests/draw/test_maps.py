import numpy as np
import torch

from headrecon.draw import maps
from tests import artifacts


def test_normals_to_the_right_are_red_and_upward_ones_green() -> None:
    drawn = maps.normal_colors(artifacts.normal_field())
    centre, right, above, corner = (
        torch.tensor(drawn.getpixel(xy)) for xy in ((30, 20), (42, 20), (30, 8), (1, 1))
    )
    assert right[0] > centre[0] + 50
    assert above[1] > centre[1] + 50
    assert centre[2] > 250
    assert corner.tolist() == [255, 255, 255]


def test_plaster_is_lit_from_the_upper_left() -> None:
    drawn = maps.shading(artifacts.normals(), artifacts.normal_field().mask).convert("L")
    grey = np.asarray(drawn).astype(int)
    assert grey[13, 24] > grey[27, 36] + 50


def test_depth_normals_are_those_of_the_surface() -> None:
    depth, expected = artifacts.depth_map(), artifacts.normals()
    inner = expected[2] > 0.7
    error = (maps.depth_normals(depth) - expected)[:, inner].norm(dim=0)
    assert float(error.max()) < 0.02


def test_the_height_map_is_scaled_in_millimetres() -> None:
    depth = artifacts.depth_map()
    drawn = maps.depth_colors(depth)
    assert drawn.height == artifacts.HEIGHT
    assert drawn.width > artifacts.WIDTH


def test_views_without_a_single_pixel_are_drawn_too() -> None:
    depth = artifacts.depth_map()
    empty = type(depth)(depth.label, depth.camera, 0 * depth.z, torch.zeros_like(depth.mask))
    assert maps.depth_colors(empty).height == artifacts.HEIGHT
    assert maps.shaded_depth(empty).getpixel((30, 20)) == (255, 255, 255)


def test_everything_of_a_view_fits_on_one_sheet() -> None:
    drawn = maps.surface(artifacts.factors(), artifacts.normal_field(), artifacts.depth_map())
    assert drawn.width > 3 * artifacts.WIDTH

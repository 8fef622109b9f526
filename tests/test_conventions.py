"""Each sentence of docs/conventions.md, on input that no swap or flip leaves unchanged."""

import io
import math

import pytest
import torch
from PIL import Image

from headrecon.geometry.camera import pixel_centres, project, unproject
from headrecon.geometry.rotation import angles, view_from_head
from headrecon.geometry.surface import vertex_normals
from headrecon.geometry.warp import gradient, warp
from headrecon.photos.decode import decode
from headrecon.types import Camera, Photo

NOSE = torch.tensor([0.0, 0.0, 1.0])
CROWN = torch.tensor([0.0, 1.0, 0.0])


def test_the_first_pixel_is_centred_at_one_half_and_x_runs_along_the_columns():
    centres = pixel_centres(3, 5)
    assert centres.shape == (3, 5, 2)
    assert centres[0, 0].tolist() == [0.5, 0.5]
    assert centres[1, 4].tolist() == [4.5, 1.5]


def test_a_flow_says_where_the_warped_image_is_sampled():
    image = torch.arange(35.0).reshape(1, 1, 5, 7)
    flow = torch.zeros(1, 2, 5, 7)
    flow[:, 0] = 2.0
    flow[:, 1] = 1.0
    assert warp(image, flow)[0, 0, 1, 3] == image[0, 0, 2, 5]


def test_half_a_pixel_of_flow_is_the_mean_of_two_pixels():
    image = torch.tensor([0.0, 1.0, 4.0, 9.0]).expand(1, 1, 3, 4)
    flow = torch.zeros(1, 2, 3, 4)
    flow[:, 0] = 0.5
    assert warp(image, flow)[0, 0, 1].tolist() == [0.5, 2.5, 6.5, 9.0]


def test_gradients_point_right_and_down():
    y, x = torch.meshgrid(torch.arange(4.0), torch.arange(6.0), indexing="ij")
    right, down = gradient((2.0 * x + 5.0 * y)[None, None])
    assert right[0, 0, 1, 1] == 2.0
    assert down[0, 0, 1, 1] == 5.0


def test_positive_azimuth_turns_the_nose_to_the_image_right():
    nose = view_from_head(30.0) @ NOSE
    assert torch.allclose(nose, torch.tensor([0.5, 0.0, math.sqrt(0.75)]), atol=1e-6)


def test_positive_elevation_turns_the_nose_up():
    nose = view_from_head(30.0, 20.0) @ NOSE
    a, e = math.radians(30.0), math.radians(20.0)
    expected = [math.sin(a), math.cos(a) * math.sin(e), math.cos(a) * math.cos(e)]
    assert torch.allclose(nose, torch.tensor(expected), atol=1e-6)


def test_positive_roll_turns_the_crown_to_the_image_left():
    crown = view_from_head(0.0, 0.0, 10.0) @ CROWN
    assert crown[0] < 0.0
    assert crown[1] > 0.9


@pytest.mark.parametrize("given", [(30.0, 10.0, 5.0), (-75.0, -20.0, 15.0), (0.0, 0.0, -40.0)])
def test_angles_invert_the_rotation(given):
    assert angles(view_from_head(*given).double()) == pytest.approx(given, abs=1e-4)


def test_a_camera_shows_up_as_up_and_near_as_near():
    camera = Camera(view_from_head(0.0), 2.0, torch.tensor([40.0, 30.0]), 60, 90)
    xyz = project(torch.tensor([[3.0, 5.0, 7.0]]), camera)
    assert xyz.tolist() == [[46.0, 20.0, 14.0]]


def test_unproject_inverts_project():
    camera = Camera(view_from_head(35.0, -12.0, 8.0), 1.7, torch.tensor([41.0, 33.0]), 60, 90)
    points = torch.randn(9, 3, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(unproject(project(points, camera), camera), points, atol=1e-5)


def test_counter_clockwise_triangles_face_the_viewer():
    vertices = torch.tensor([[0.0, 0.0, 0.0], [2.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    normals = vertex_normals(vertices, torch.tensor([[0, 1, 2]]))
    assert normals[0].tolist() == [0.0, 0.0, 1.0]


def test_images_are_linear_light():
    file = io.BytesIO()
    Image.new("RGB", (4, 3), (188, 0, 255)).save(file, "PNG")
    encoded = torch.frombuffer(bytearray(file.getvalue()), dtype=torch.uint8)
    image = decode(Photo("gray.png", encoded), 10**6)
    assert isinstance(image, torch.Tensor)
    assert image.shape == (3, 3, 4)
    # 188 of 255 is where sRGB codes half the light.
    assert image[:, 0, 0].tolist() == pytest.approx([0.5029, 0.0, 1.0], abs=1e-3)

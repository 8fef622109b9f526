"""Photos of a made-up person: repeatable, and true to their recorded pose."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from headrecon.geometry.camera import project
from headrecon.geometry.surface import at
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.synthetic.clothes import border, shoulders
from headrecon.synthetic.photograph import Photograph
from headrecon.synthetic.subject import Subject, make_subject
from headrecon.template.build import BuildTemplate

CAMERA = Photograph(
    seed=3,
    min_side=150,
    max_side=220,
    min_share=0.5,
    max_share=0.6,
    off_centre=0.05,
    mildness=1.0,
    noise=0.01,
)


@pytest.fixture(scope="module")
def subject() -> Subject:
    return make_subject(seed=4, strangeness=1.0, hair=8.0)


def test_the_same_photo_can_be_taken_twice(subject):
    first, again, other = CAMERA(subject, 5), CAMERA(subject, 5), CAMERA(subject, 6)
    assert torch.equal(first.photo.encoded, again.photo.encoded)
    assert first.photo.name != other.photo.name
    assert not torch.equal(first.photo.encoded, other.photo.encoded)


def test_the_file_is_a_jpeg_of_the_camera_s_size(subject):
    shot = CAMERA(subject, 1)
    with Image.open(io.BytesIO(shot.photo.encoded.numpy().tobytes())) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (shot.camera.width, shot.camera.height)
        assert np.array(picture).std() > 10
    assert shot.mask.shape == (shot.camera.height, shot.camera.width)


def test_landmarks_fall_on_the_person_and_the_nose_turns_with_the_azimuth(subject):
    marks = BuildTemplate(size=1.0)().fiducials
    landmarks = at(marks, subject.faces, subject.vertices)[list(IBUG68_FROM_MESH)]
    straight = replace(CAMERA, mildness=0.0)
    for index in range(8):
        shot = straight(subject, index)
        xy = project(landmarks, shot.camera)[:, :2].floor().long()
        x = xy[:, 0].clamp(0, shot.camera.width - 1)
        y = xy[:, 1].clamp(0, shot.camera.height - 1)
        assert shot.mask[y, x].float().mean() > 0.85
        ears = project(torch.zeros(1, 3), shot.camera)[0, 0]
        if abs(shot.pose.azimuth) > 20:
            assert torch.sign(xy[30, 0] - ears) == np.sign(shot.pose.azimuth)


def test_clothes_continue_the_head_with_the_same_winding(subject):
    rim = border(subject.faces)
    vertices, faces = shoulders(subject.vertices[rim])
    assert torch.allclose(vertices[: len(rim)], subject.vertices[rim], atol=1e-3)
    joined = torch.cat([rim, torch.arange(len(rim), len(vertices)) + len(subject.vertices)])
    whole = torch.cat([subject.faces, joined[faces]])
    both = torch.cat([subject.vertices, vertices])
    assert trimesh.Trimesh(both.numpy(), whole.numpy(), process=False).is_winding_consistent


def test_hair_adds_volume_to_the_scalp_only(subject):
    thickness = subject.hair.norm(dim=-1)
    assert 5.0 < thickness.max() < 12.0
    forehead = (subject.model.mean[:, 1] < 60) & (subject.model.mean[:, 2] > 60)
    assert thickness[forehead].max() == 0


def test_openness_is_small_in_the_folds_of_the_ear_and_large_on_the_forehead(subject):
    place = subject.model.mean
    forehead = (place[:, 1] > 45) & (place[:, 2] > 90)
    assert subject.openness[forehead].mean() > 0.9
    assert subject.openness[place[:, 0].abs() > 60].min() < 0.4

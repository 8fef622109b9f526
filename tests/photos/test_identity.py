"""Recognition on made-up people, whose identity is known."""

from dataclasses import replace

import numpy as np
import torch

from headrecon.photos.detect import Detect
from headrecon.photos.identity import Recognize
from headrecon.synthetic.chance import Pose
from headrecon.template.build import BuildTemplate
from headrecon.types import Photo, Portrait, Sighting
from tests.synthetic.sessions import SESSION


def portrait(detect: Detect, identity: int, index: int, mirrored: bool = False) -> Portrait:
    session = replace(SESSION, identity=identity)
    taking = replace(session.taking(index), pose=Pose(8.0 * index - 12.0, 3.0, 0.0), style=0)
    encoded = torch.from_numpy(session.photograph(taking).encoded)
    if mirrored:
        encoded = _mirrored(encoded)
    found = detect(Photo(f"{identity} {index}", encoded), BuildTemplate(size=1.0, people=2)())
    assert isinstance(found, Sighting)
    return found.portraits[0]


def _mirrored(encoded: torch.Tensor) -> torch.Tensor:
    import cv2

    picture = cv2.imdecode(encoded.numpy(), cv2.IMREAD_COLOR)
    assert picture is not None
    return torch.from_numpy(cv2.imencode(".png", np.ascontiguousarray(picture[:, ::-1]))[1])


def test_photos_of_one_person_are_closer_than_photos_of_two(detect: Detect):
    points = torch.stack(
        [portrait(detect, who, index).identity for who in (3, 4, 9) for index in (0, 1, 2)]
    )
    distance = torch.cdist(points, points)
    person = torch.arange(9) // 3
    same = person[:, None] == person[None]
    assert distance[same].max() < distance[~same].min()


def test_a_mirrored_photo_shows_the_same_face(detect: Detect):
    one, other = (portrait(detect, 3, 2, mirrored) for mirrored in (False, True))
    assert (one.identity - other.identity).norm() < 0.15


def test_the_answer_is_one_point_in_128_dimensions(detect: Detect):
    face = artifacts_face()
    found = Recognize()(*face)
    assert found.shape == (128,)
    assert bool(found.isfinite().all())
    assert torch.equal(found, Recognize()(*face))


def artifacts_face() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.rand(3, 90, 80, generator=generator), 80.0 * torch.rand(
        468, 2, generator=generator
    )

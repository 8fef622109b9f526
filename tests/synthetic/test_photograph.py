"""Photos are repeatable, and what is recorded of them is true."""

import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from headrecon.geometry.camera import project_through
from headrecon.geometry.surface import at
from headrecon.synthetic.chance import Framing, Pose, Taking
from headrecon.synthetic.photograph import Shot
from headrecon.synthetic.subject import make_subject
from headrecon.template.build import BuildTemplate
from headrecon.template.model import head_model
from headrecon.truth import LABELS
from tests.synthetic.sessions import SESSION

PHOTOGRAPH = SESSION.photograph
FRAMING = Framing(distance=900.0, share=0.6, x=0.52, y=0.48, height=240, width=200)


def front(index: int, azimuth: float = 12.0, **changes) -> Taking:
    taking = replace(SESSION.taking(index), pose=Pose(azimuth, 4.0, -3.0), framing=FRAMING)
    return replace(taking, style=0, **changes)


def smiling(taking: Taking) -> Taking:
    actions = head_model().actions
    strength = [0.0] * len(actions)
    for name in ("mouthSmileLeft", "jawOpen", "browInnerUp"):
        strength[actions.index(name)] = 0.6
    return replace(taking, expression=tuple(strength))


@pytest.fixture(scope="module")
def shot() -> Shot:
    return PHOTOGRAPH(smiling(front(1)))


def test_the_same_taking_gives_the_same_bytes(shot):
    again, other = PHOTOGRAPH(smiling(front(1))), PHOTOGRAPH(smiling(front(2)))
    assert np.array_equal(shot.encoded, again.encoded)
    assert not np.array_equal(shot.encoded, other.encoded)


def test_the_file_is_a_jpeg_of_the_camera_s_size(shot):
    with Image.open(io.BytesIO(shot.encoded.tobytes())) as picture:
        assert picture.format == "JPEG"
        assert picture.size == (FRAMING.width, FRAMING.height)
        assert np.array(picture).std() > 10


def test_fiducials_are_where_the_lens_shows_the_moved_face(shot):
    taking = smiling(front(1))
    subject = make_subject(taking.identity, PHOTOGRAPH.population)
    head = subject.head(torch.tensor(taking.expression), taking.style)
    marks = at(BuildTemplate(size=1.0, people=2)().fiducials, subject.model.faces, head)
    assert torch.allclose(project_through(marks, shot.lens)[:, :2], shot.fiducials, atol=1e-2)
    assert 0.8 < shot.visible.float().mean() < 1.0


def test_flow_moves_the_fiducials_of_one_photo_onto_those_of_the_other(shot):
    straight = tuple([0.0] * len(head_model().actions))
    other = PHOTOGRAPH(front(1, expression=straight))
    visible = shot.visible & other.visible
    flow = torch.from_numpy(shot.picture.flow).permute(2, 0, 1)[None].float()
    size = torch.tensor([FRAMING.width, FRAMING.height])
    grid = (2.0 * shot.fiducials[visible] / size - 1.0)[None, None]

    def at_fiducials(layer: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.grid_sample(layer, grid, align_corners=False)[0, :, 0].T

    # Where the surface ends, at the outline and between the lips, there is nothing to interpolate.
    most = torch.nn.functional.max_pool2d(flow, 3, 1, 1)
    least = -torch.nn.functional.max_pool2d(-flow, 3, 1, 1)
    # A third of a pixel's change from one pixel to the next bends by less than a tenth in between.
    smooth = (at_fiducials(most - least) < 0.3).all(dim=1)
    moved = shot.fiducials[visible] + at_fiducials(flow)
    error = (moved - other.fiducials[visible]).norm(dim=1)
    before = (shot.fiducials - other.fiducials)[visible].norm(dim=1)
    assert smooth.float().mean() > 0.4
    assert before[smooth].max() > 3.0
    assert error[smooth].median() < 0.02
    assert error[smooth].max() < 0.1


def test_what_is_behind_the_head_is_not_visible():
    side = PHOTOGRAPH(front(3, azimuth=90.0))
    x = BuildTemplate(size=1.0, people=2)()
    place = at(x.fiducials, x.faces, x.vertices)[:, 0]
    # The nose points to the image right, so the person's left cheek, at positive x, is away.
    assert not side.visible[place > 30].any()
    assert side.visible[place < -30].float().mean() > 0.7


def test_an_occluder_hides_fiducials_and_is_labelled():
    free, worn = PHOTOGRAPH(front(4)), PHOTOGRAPH(front(4, occluder="sunglasses"))
    covered = worn.picture.labels == LABELS.index("occluder")
    assert covered.sum() > 200
    assert not (free.picture.labels == LABELS.index("occluder")).any()
    assert free.visible.sum() > worn.visible.sum() + 40
    middle = covered.nonzero()[0].mean() / FRAMING.height
    assert 0.3 < middle < 0.55


@pytest.mark.parametrize("occluder", ["glasses", "microphone", "hand"])
def test_every_other_occluder_is_seen_too(occluder):
    labels = PHOTOGRAPH(front(5, occluder=occluder)).picture.labels
    assert (labels == LABELS.index("occluder")).sum() > 30


def test_a_bystander_is_in_the_picture_but_not_in_the_mask():
    wide = replace(FRAMING, width=360, share=0.4)
    alone, together = (
        PHOTOGRAPH(replace(front(6), framing=wide, bystander=seed)) for seed in (-1, 1_000_003)
    )
    more = together.picture.covered & ~alone.picture.covered
    assert more.sum() > 300
    assert not together.picture.labels[more].any()


def test_a_picture_of_nobody_has_no_head():
    empty = PHOTOGRAPH(front(7, identity=-1))
    assert not empty.picture.labels.any()
    assert not empty.visible.any()
    assert len(empty.seen) == 0


def test_a_head_at_the_edge_shows_the_side_that_its_azimuth_says():
    for x in (0.3, 0.7):
        taking = replace(front(8, azimuth=0.0), framing=replace(FRAMING, x=x, distance=450.0))
        taking = replace(taking, pose=Pose(0.0, 0.0, 0.0))
        lens = PHOTOGRAPH(taking).lens
        camera = -lens.view_from_head.T @ lens.translation
        assert camera[0].abs() < 1.0

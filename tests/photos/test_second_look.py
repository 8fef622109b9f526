"""Windows on heads, and what is made of two answers about one."""

import math

import pytest
import torch

from headrecon.geometry.rotation import view_from_head
from headrecon.photos import second_look
from headrecon.photos.head_points import HeadPoints, Pose
from headrecon.photos.second_look import SIZE, SecondLook, Seen, look_again, windows_on

HEAD = 60.0 * torch.randn(468, 3, generator=torch.Generator().manual_seed(0))
"""Asymmetric, and not a head at all: windows know nothing of faces."""
HEAD -= HEAD.mean(dim=0)
PARTNER = torch.arange(468)


def seen_from(pose: Pose, scale: float, x: float, y: float) -> torch.Tensor:
    """The fiducials in a photo, y down."""
    turned = HEAD @ view_from_head(pose.azimuth, pose.elevation, pose.roll).T
    return scale * turned[:, :2] * torch.tensor([1.0, -1.0]) + torch.tensor([x, y])


def numbers(pose: Pose) -> torch.Tensor:
    return torch.tensor([pose.azimuth, pose.elevation, pose.roll])


@pytest.mark.parametrize("azimuth", [0.0, 40.0, -90.0])
def test_windows_are_as_large_as_the_head_from_every_side(azimuth: float) -> None:
    pose = Pose(azimuth, 10.0, -20.0)
    window = windows_on(seen_from(pose, 0.7, 50.0, 80.0)[None], numbers(pose)[None], HEAD)
    assert float(window.sides) == pytest.approx(0.7 * 260.0, rel=1e-4)
    middle = view_from_head(azimuth, 10.0, -20.0) @ torch.tensor([0.0, 10.0, -40.0])
    expected = torch.tensor([50.0, 80.0]) + 0.7 * middle[:2] * torch.tensor([1.0, -1.0])
    torch.testing.assert_close(window.middles[0], expected)


def test_windows_turn_with_the_head_and_move_with_it() -> None:
    """The places in them do not depend on roll, scale and shift, and lead back to the points."""
    level, rolled = Pose(50.0, 5.0, 0.0), Pose(50.0, 5.0, 35.0)
    one, other = seen_from(level, 1.0, 0.0, 0.0), seen_from(rolled, 0.4, 9.0, -7.0)
    here, there = (
        windows_on(points[None], numbers(pose)[None], HEAD)
        for points, pose in ((one, level), (other, rolled))
    )
    torch.testing.assert_close(here.into(one[None]), there.into(other[None]), atol=1e-4, rtol=0)
    torch.testing.assert_close(there.out_of(there.into(other[None]))[0], other)


class _Oracle:
    """Answers whose error has the same sign in the photo and in its mirror image."""

    def __init__(self, pose: Pose, points: torch.Tensor, error: float, deviation: float) -> None:
        self.pose, self.points = pose, points
        self.error, self.deviation = error, deviation
        self.windows: list[second_look.Windows] = []

    def __call__(self, pictures: torch.Tensor) -> Seen:
        window, right = self.windows[-1], numbers(self.pose)
        right[2] -= window.rolls[0]
        signs = torch.tensor([[1.0, 1.0, 1.0], [-1.0, 1.0, -1.0]])
        places = window.into(self.points[None])[0] + torch.tensor([self.error / 100.0, 0.0])
        mirror = torch.tensor([-1.0, 1.0])
        others = (window.into(self.points[None])[0] * mirror) + torch.tensor(
            [self.error / 100.0, 0.0]
        )
        return Seen(
            angles=signs * right + torch.tensor([self.error, 0.0, 0.0]),
            deviations=torch.full((2, 3), self.deviation),
            points=torch.stack([places, others]),
            direction=torch.zeros(2, 2),
        )


def test_errors_of_the_photo_and_of_its_mirror_image_cancel(monkeypatch) -> None:
    """And the pose is averaged with the known one by their precision."""
    true, points = Pose(-80.0, 3.0, 12.0), seen_from(Pose(-80.0, 3.0, 12.0), 0.5, 60.0, 70.0)
    oracle = _Oracle(true, points, error=4.0, deviation=1.0)

    def noted(*arguments: torch.Tensor) -> second_look.Windows:
        oracle.windows.append(windows_on(*arguments))
        return oracle.windows[-1]

    monkeypatch.setattr(second_look, "windows_on", noted)
    monkeypatch.setattr(second_look, "load_second_look", lambda: oracle)
    known = HeadPoints(
        pose=Pose(-74.0, 3.0, 12.0),
        deviation=Pose(2.0, 2.0, 2.0),
        mesh=points,
        corrected=points + 8.0,
        glasses=0.1,
        covered=0.2,
    )
    found = look_again(torch.rand(3, 140, 120), known, HEAD, PARTNER)
    assert len(oracle.windows) == 2
    # What was known, which is 8 pixels off, has a quarter.
    torch.testing.assert_close(found.corrected, points + 2.0, atol=1e-3, rtol=0)
    # The second look is four times as precise as the known pose, and right.
    assert found.pose.azimuth == pytest.approx(-80.0 + 6.0 / 5.0, abs=1e-3)
    assert found.deviation.azimuth == pytest.approx(1.0 + 1.0 / 5.0, abs=1e-3)
    assert found.pose.roll == pytest.approx(12.0, abs=1e-3)
    assert (found.glasses, found.covered) == (0.1, 0.2)


def test_the_azimuth_goes_on_behind_ninety_degrees() -> None:
    network = SecondLook(shapes=2, hidden=8).eval()
    with torch.inference_mode():
        last = network.layers[-1]
        assert isinstance(last, torch.nn.Linear)
        last.weight.zero_()
        turn = math.radians(100.0)
        bias = torch.zeros(11)
        bias[:4] = torch.tensor([2.0 * math.sin(turn), 2.0 * math.cos(turn), 0.3, -0.1])
        last.bias.copy_(bias)
        seen = network(torch.rand(1, 3, SIZE, SIZE))
    torch.testing.assert_close(seen.angles, torch.tensor([[100.0, 3.0, -1.0]]))
    assert float(seen.direction.norm()) == pytest.approx(2.0)


def test_what_is_shipped_can_be_read() -> None:
    network = second_look.load_second_look()
    assert 500_000 < sum(value.numel() for value in network.state_dict().values()) < 2_000_000

"""Poses and fiducials by votes, on numbers whose answer is known."""

from pathlib import Path

import pytest
import torch

from headrecon.learning.points import PointExamples, apart
from headrecon.learning.teach_points import TeachPoints, examine_points
from headrecon.own_weights import save_weights
from headrecon.photos.head_points import WIDTHS, PointsNetwork, Told, averaged, load_points

KEPT = {"mesh": 4, "keypoints": 4, "confidence": 2, "landmark": 4, "detector": 4}
TEACH = TeachPoints(
    kept=KEPT,
    shapes=3,
    hidden=128,
    voters=2,
    epochs=60,
    batch=32,
    rate=0.005,
    decay=0.001,
    noise=0.01,
    points_weight=2.0,
    seed=0,
)


def examples(count: int, noise: float = 0.0) -> PointExamples:
    """Hints that are linear in the sines of the angles, with noise, and points that shear."""
    generator = torch.Generator().manual_seed(0)
    azimuth = 190.0 * torch.rand(count, generator=generator) - 95.0
    others = 10.0 * torch.randn(count, 2, generator=generator)
    poses = torch.cat([azimuth[:, None], others], dim=1)
    rad = poses.deg2rad()
    causes = torch.stack([rad[:, 0].sin(), rad[:, 0].cos(), rad[:, 1], rad[:, 2]], dim=1)
    said, mixer = {}, torch.Generator().manual_seed(1)
    for name, width in WIDTHS.items():
        mixing = torch.randn(4, width, generator=mixer)
        said[name] = causes @ mixing + noise * torch.randn(count, width, generator=generator)
    rest = torch.rand(468, 2, generator=mixer) - 0.5
    points = rest + 0.3 * causes[:, None, :2] * rest[:, :1]
    glasses = (causes[:, 2] > 0).float()
    covers = torch.stack([glasses, 0.3 * glasses], dim=1)
    visible = torch.ones(count, 468, dtype=torch.bool)
    crops = torch.zeros(count, 3, 4, 4, dtype=torch.uint8)
    return PointExamples(said, poses, covers, points, visible, crops, torch.arange(count) // 8)


@pytest.fixture(scope="module")
def network() -> PointsNetwork:
    return TEACH(apart(examples(800), 20)[0])


def test_poses_and_points_of_new_people_are_told(network: PointsNetwork) -> None:
    _, aside = apart(examples(800), 20)
    assert len(aside.poses) == 160
    scores = examine_points(network, aside)
    assert scores["azimuth_mae_within_60_degrees"] < 2.0
    assert scores["azimuth_mae_beyond_60_degrees"] < 4.0
    assert scores["glasses_right_share"] > 0.9
    assert scores["covered_mae_share"] < 0.06
    assert scores["points_median_within_60_share"] < 0.01


def test_deviations_grow_where_the_hints_say_little(network: PointsNetwork) -> None:
    known, strange = examples(40), examples(40, noise=3.0)
    with torch.inference_mode():
        sure, unsure = network(known.said).deviations, network(strange.said).deviations
    assert unsure[:, 0].median() > 1.5 * sure[:, 0].median()


def test_angles_are_continuous_through_ninety_degrees(network: PointsNetwork) -> None:
    many = examples(800)
    aside = many.poses[:, 0].abs() > 85.0
    with torch.inference_mode():
        angles = network({name: v[aside] for name, v in many.said.items()}).angles
    assert (angles[:, 0].sign() == many.poses[aside, 0].sign()).all()
    assert angles[:, 0].abs().max() > 90.0


def test_weights_are_read_as_they_were_written_and_damaged_ones_are_refused(
    network: PointsNetwork, tmp_path: Path
) -> None:
    path = save_weights(network.state_dict(), {"faces": 1}, tmp_path / "weights.safetensors")
    read, few = load_points(path), examples(4)
    with torch.inference_mode():
        one, other = vars(read(few.said)), vars(network(few.said))
    for name, value in one.items():
        torch.testing.assert_close(value, other[name], atol=0.3, rtol=0.01)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    load_points.cache_clear()
    with pytest.raises(ValueError, match="damaged"):
        load_points(path)


def test_what_is_shipped_can_be_read() -> None:
    network = load_points()
    assert sum(value.numel() for value in network.state_dict().values()) > 1_000_000


def test_a_photo_and_its_mirror_image_are_averaged_by_their_precision() -> None:
    partner = torch.arange(468).flip(0)
    points = torch.rand(468, 2, generator=torch.Generator().manual_seed(2))
    reflected = (points * torch.tensor([-1.0, 1.0]))[partner]
    told = Told(
        angles=torch.tensor([[170.0, 4.0, 10.0], [170.0, 8.0, -14.0]]),
        deviations=torch.tensor([[1.0, 1.0, 2.0], [1.0, 3.0, 2.0]]),
        covers=torch.tensor([[0.2, 0.0], [0.4, 0.2]]),
        points=torch.stack([points, reflected + torch.tensor([0.2, 0.0])]),
    )
    mean = averaged(told, partner)
    # From 170 to -170 it is 20 degrees, over the back of the head.
    torch.testing.assert_close(mean.angles, torch.tensor([[-180.0, 4.4, 12.0]]))
    torch.testing.assert_close(mean.covers, torch.tensor([[0.3, 0.1]]))
    torch.testing.assert_close(mean.points[0], points - torch.tensor([0.1, 0.0]))

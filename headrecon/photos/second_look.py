"""A second look at a face whose pose and fiducials are nearly known."""

import functools
from dataclasses import dataclass, replace
from pathlib import Path

import roma
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from headrecon.own_weights import read_weights
from headrecon.photos.head_points import POINTS, HeadPoints, Pose
from headrecon.photos.network import gamma_coded
from headrecon.photos.square import Square, sample

SIZE = 64
"""Side of the network's picture in pixels."""
SIDE_MM = 260.0
"""Side of its window on the head, millimetres."""
_MIDDLE = (0.0, 10.0, -40.0)
"""Centre of the window on the head, millimetres from the mean of the fiducials."""
_SHARE = 0.75
"""Of the second look in the fiducials."""
_BEFORE_SHAPES = 9
"""Numbers of an answer before the components of the fiducials."""
_WIDTHS = (24, 48, 96, 128)
WEIGHTS = Path(__file__).with_name("second_look.safetensors")
"""Made by `python -m headrecon.learn network=second_look`; the JSON file beside it says more."""


@dataclass(frozen=True)
class Windows:
    """Square windows on heads, in the unit of the points that they were made from, y down."""

    middles: Float[Tensor, "face xy=2"]
    sides: Float[Tensor, " face"]
    rolls: Float[Tensor, " face"]
    """Degrees, as of a pose: positive turns the top of the window to the image left."""

    def into(self, points: Float[Tensor, "face point xy=2"]) -> Float[Tensor, "face point xy=2"]:
        """Places in the windows, from -1/2 to 1/2."""
        level = torch.einsum("fab,fpb->fpa", self._axes(), points - self.middles[:, None])
        return level / self.sides[:, None, None]

    def out_of(self, places: Float[Tensor, "face point xy=2"]) -> Float[Tensor, "face point xy=2"]:
        """The inverse of `into`."""
        points = torch.einsum("fba,fpb->fpa", self._axes(), places)
        return points * self.sides[:, None, None] + self.middles[:, None]

    def _axes(self) -> Float[Tensor, "face axis=2 xy=2"]:
        cos, sin = self.rolls.deg2rad().cos(), self.rolls.deg2rad().sin()
        return torch.stack([torch.stack([cos, -sin], -1), torch.stack([sin, cos], -1)], -2)


def windows_on(
    points: Float[Tensor, "face fiducial xy=2"],
    poses: Float[Tensor, "face angle=3"],
    head: Float[Tensor, "fiducial xyz=3"],
) -> Windows:
    """Windows with the whole head in them, upright, by the weak perspective of known poses.

        s, t = argmin sum |s R x + t - p|^2;    the window is around s R c + t, its side s * 260 mm

    with x the fiducials of a head and c a place between its ears. The scale of the head does not
    depend on how it is turned, as a box around the points does.
    """
    mean = head.mean(dim=0)
    azimuth, elevation, roll = poses.unbind(dim=1)
    turns = roma.euler_to_rotmat("ZXY", [roll, -elevation, azimuth], degrees=True)
    seen = turns[:, :2] * poses.new_tensor([[1.0], [-1.0]])
    flat = torch.einsum("fab,pb->fpa", seen, head - mean)
    centres = points.mean(dim=1)
    apart = points - centres[:, None]
    scales = (flat * apart).sum(dim=(1, 2)) / flat.square().sum(dim=(1, 2))
    middle = seen @ head.new_tensor(_MIDDLE)
    return Windows(centres + scales[:, None] * middle, SIDE_MM * scales, roll)


@dataclass(frozen=True)
class Seen:
    """What the network sees in its windows."""

    angles: Float[Tensor, "face angle=3"]
    """Degrees; the roll is the window's own."""
    deviations: Float[Tensor, "face angle=3"]
    points: Float[Tensor, "face fiducial=468 xy=2"]
    """Places in the windows, from -1/2 to 1/2."""
    direction: Float[Tensor, "face 2"]
    """Sine and cosine of the azimuth, whose length is free."""


class SecondLook(nn.Module):
    """From the picture of a head to its pose and its fiducials, by convolutions.

    What the detectors say of a profile is steady but coarse. The picture itself shows more, once it
    is known about where the head is and how large: then a small network can be taught by made-up
    people only, if its lessons vary colour, light, blur and what is before the face. Fiducials are
    a mean plus principal components.

    Reference: Wood et al., "Fake it till you make it: face analysis in the wild using synthetic
    data alone", ICCV 2021.
    """

    shape_mean: Tensor
    shape_basis: Tensor

    def __init__(self, shapes: int, hidden: int, dropout: float = 0.0) -> None:
        """Random weights; so many components of the fiducials."""
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in zip((3, *_WIDTHS), _WIDTHS, strict=False):
            layers += [*_convolution(before, after, 2), *_convolution(after, after, 1)]
        inside = _WIDTHS[-1] * (SIZE >> len(_WIDTHS)) ** 2
        self.layers = nn.Sequential(
            *layers,
            *(nn.Flatten(), nn.Dropout(dropout), nn.Linear(inside, hidden), nn.GELU()),
            *(nn.Dropout(dropout), nn.Linear(hidden, _BEFORE_SHAPES + shapes)),
        )
        self.register_buffer("shape_mean", torch.zeros(POINTS, 2))
        self.register_buffer("shape_basis", torch.zeros(shapes, POINTS, 2))

    def forward(self, pictures: Float[Tensor, "face rgb=3 size size"]) -> Seen:
        """Of pictures in sRGB, [0, 1]; outside the photo they are black."""
        numbers = self.layers(2.0 * pictures - 1.0)
        direction, tilts = numbers[:, :2], 10.0 * numbers[:, 2:4]
        azimuth = torch.atan2(direction[:, 0], direction[:, 1]).rad2deg()
        shape = torch.einsum("fs,spx->fpx", numbers[:, _BEFORE_SHAPES:], self.shape_basis)
        return Seen(
            angles=torch.cat([azimuth[:, None], tilts], dim=1),
            deviations=numbers[:, 4:7].clamp(-2.0, 4.0).exp(),
            points=self.shape_mean + shape,
            direction=direction,
        )


def _convolution(before: int, after: int, stride: int) -> tuple[nn.Module, ...]:
    convolution = nn.Conv2d(before, after, 3, stride, 1, bias=False)
    return convolution, nn.BatchNorm2d(after), nn.ReLU()


def look_again(
    image: Float[Tensor, "rgb=3 h w"],
    known: HeadPoints,
    head: Float[Tensor, "fiducial=468 xyz=3"],
    partner: Int[Tensor, " fiducial=468"],
) -> HeadPoints:
    """The same face with a better pose and better fiducials.

    The network looks twice, the second time in the window of its first answer, and each time at
    the mirror image, too, in which `partner` says what each fiducial becomes. What was known keeps
    a say, since it errs for other reasons: poses are averaged by their precision, and of the
    fiducials a share is the known ones', which rest on networks that have seen real faces.
    """
    before, off_before = _numbers(known.pose), _numbers(known.deviation)
    first = windows_on(known.corrected[None], before[None], head)
    points, pose, _ = _looked(image, first, partner)
    points, pose, off = _looked(image, windows_on(points[None], pose[None], head), partner)
    share = off_before.square() / (off_before.square() + off.square())
    apart = (pose - before + 180.0) % 360.0 - 180.0
    mean = (before + share * apart + 180.0) % 360.0 - 180.0
    deviation = Pose(*torch.lerp(off_before, off, share).tolist())
    corrected = torch.lerp(known.corrected, points, _SHARE)
    return replace(known, pose=Pose(*mean.tolist()), deviation=deviation, corrected=corrected)


def _looked(
    image: Float[Tensor, "rgb=3 h w"], window: Windows, partner: Int[Tensor, " fiducial=468"]
) -> tuple[Tensor, Tensor, Tensor]:
    """Fiducials, pose and its deviations, by a window's picture and the mirror image of it."""
    x, y = window.middles[0].tolist()
    square = Square(x, y, float(window.sides), -float(window.rolls))
    picture = gamma_coded(sample(image, square, SIZE)).clamp(0.0, 1.0)
    with torch.inference_mode():
        seen = load_second_look()(torch.stack([picture, picture.flip(-1)]))
    signs = seen.angles.new_tensor([-1.0, 1.0, -1.0])
    apart = (signs * seen.angles[1] - seen.angles[0] + 180.0) % 360.0 - 180.0
    pose = seen.angles[0] + apart / 2
    pose[2] += window.rolls[0]
    mirrored = (seen.points[1] * seen.points.new_tensor([-1.0, 1.0]))[partner]
    places = torch.lerp(seen.points[0], mirrored, 0.5)
    return window.out_of(places[None])[0], pose.clone(), seen.deviations.mean(dim=0).clone()


def _numbers(pose: Pose) -> Float[Tensor, "angle=3"]:
    return torch.tensor([pose.azimuth, pose.elevation, pose.roll])


@functools.cache
def load_second_look(path: Path = WEIGHTS) -> SecondLook:
    """The network, ready to look; raises `ValueError` if its file is damaged."""
    weights = read_weights(path)
    hidden = max(len(value) for name, value in weights.items() if name.endswith("bias"))
    network = SecondLook(len(weights["shape_basis"]), hidden)
    network.load_state_dict(weights)
    # Convolutions are quicker with the channels of a pixel side by side.
    return network.eval().to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]

"""The pose of a head and its fiducials, right from every side."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from headrecon.own_weights import read_weights
from headrecon.photos.faces import Face, inside_detector
from headrecon.photos.find import steady_mesh
from headrecon.photos.square import Square

WIDTHS = {"mesh": 1404, "keypoints": 12, "confidence": 2, "landmark": 1152, "detector": 6144}
"""Numbers of each kind that are said about a face."""
_LIFT, _SIDE = 0.1, 2.3
"""Place and side of the detector's window on the head, in sides of the face's box."""
POINTS = 468
_BEFORE_SHAPES = 9
"""Numbers of a vote before the components of the fiducials."""
WEIGHTS = Path(__file__).with_name("head_points.safetensors")
"""Made by `python -m headrecon.learn network=points`; the JSON file beside it says more."""


@dataclass(frozen=True)
class Pose:
    """Azimuth, elevation and roll in degrees."""

    azimuth: float
    elevation: float
    roll: float


@dataclass(frozen=True)
class HeadPoints:
    """How a head is turned in a photo, and where its fiducials are."""

    pose: Pose
    deviation: Pose
    """Standard deviations of the pose."""
    mesh: Float[Tensor, "fiducial=468 xy=2"]
    """In pixels of the photo, by the face mesh."""
    corrected: Float[Tensor, "fiducial=468 xy=2"]
    """In pixels of the photo, those that are hidden where they are behind the face."""
    glasses: float
    """Probability of glasses or sunglasses."""
    covered: float
    """Share of the face before which there is something, glasses included."""


@dataclass(frozen=True)
class Hints:
    """What the networks of the detectors say and know about a face, in sides of its box."""

    said: Mapping[str, Float[Tensor, " number"]]
    """By the names of `WIDTHS`."""
    mesh: Float[Tensor, "fiducial=468 xy=2"]
    """In pixels of the photo."""
    middle: Float[Tensor, "xy=2"]
    """Where in the photo the origin of the numbers is."""
    side: float
    """Pixels of the photo that are their unit."""


def hints(image: Float[Tensor, "rgb=3 h w"], face: Face) -> Hints:
    """All that the correction of points goes by."""
    middle = torch.tensor([face.x, face.y - _LIFT * face.side])
    mesh = steady_mesh(image, face)
    flat = torch.cat([mesh.points[:, :2] - middle, mesh.points[:, 2:]], dim=1) / face.side
    flat[:, 2] -= flat[:, 2].mean()
    window = Square(float(middle[0]), float(middle[1]), _SIDE * face.side, 0.0)
    said = {
        "mesh": flat.flatten(),
        "keypoints": ((face.keypoints - middle) / face.side).flatten(),
        "confidence": torch.tensor([mesh.confidence, face.score]),
        "landmark": mesh.inside.flatten(),
        "detector": inside_detector(image, window).flatten(),
    }
    return Hints(said, mesh.points[:, :2], middle, face.side)


@dataclass(frozen=True)
class Told:
    """What the network tells of faces."""

    angles: Float[Tensor, "*vote face angle=3"]
    """Degrees."""
    deviations: Float[Tensor, "*vote face angle=3"]
    covers: Float[Tensor, "*vote face cover=2"]
    """Probability of glasses, and share that is covered."""
    points: Float[Tensor, "*vote face fiducial=468 xy=2"]
    """In sides of the box."""


class PointsNetwork(nn.Module):
    """From hints to pose and fiducials: principal components, then small networks that vote.

    Past about 65 degrees the points of the face mesh slide over the profile line. But they slide in
    a way that depends on the pose, and what the detectors' networks know of a face before they put
    it into points tells more; so the true points can be told from both. The numbers of each kind
    are reduced to their principal components, and fiducials are a mean plus components, too.

    Reference: Lakshminarayanan, Pritzel and Blundell, "Simple and scalable predictive uncertainty
    estimation using deep ensembles", NeurIPS 2017.
    """

    shape_mean: Tensor
    shape_basis: Tensor

    def __init__(self, kept: Mapping[str, int], shapes: int, hidden: int, voters: int) -> None:
        """Random weights; so many components of each kind of hint, and of the fiducials."""
        super().__init__()
        self.kinds = tuple(kept)
        for name, count in kept.items():
            self.register_buffer(f"{name}_mean", torch.zeros(WIDTHS[name]))
            self.register_buffer(f"{name}_basis", torch.zeros(WIDTHS[name], count))
        self.register_buffer("shape_mean", torch.zeros(POINTS, 2))
        self.register_buffer("shape_basis", torch.zeros(shapes, POINTS, 2))
        inputs, outputs = sum(kept.values()), _BEFORE_SHAPES + shapes
        self.voters = nn.ModuleList(_voter(inputs, hidden, outputs) for _ in range(voters))

    def reduced(
        self, said: Mapping[str, Float[Tensor, "face number"]]
    ) -> Float[Tensor, "face component"]:
        """Components of the hints."""
        parts = [
            (said[name] - getattr(self, f"{name}_mean")) @ getattr(self, f"{name}_basis")
            for name in self.kinds
        ]
        return torch.cat(parts, dim=1)

    def forward(self, said: Mapping[str, Float[Tensor, "face number"]]) -> Told:
        """The mean of the votes; deviations are of the votes, and between them."""
        reduced = self.reduced(said)
        votes = torch.stack([voter(reduced) for voter in self.voters])
        angles, log_deviations, covers, shape = decoded(votes)
        middle = votes.mean(dim=0)
        azimuth = torch.atan2(middle[:, 0], middle[:, 1]).rad2deg()
        mean = torch.cat([azimuth[:, None], angles[..., 1:].mean(dim=0)], dim=1)
        apart = (angles - mean + 180.0) % 360.0 - 180.0
        spread = (log_deviations.exp().square() + apart.square()).mean(dim=0).sqrt()
        points = self.shape_mean + torch.einsum("fs,spx->fpx", shape.mean(dim=0), self.shape_basis)
        return Told(mean, spread, covers.sigmoid().mean(dim=0), points)


def decoded(votes: Float[Tensor, "*vote number"]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Angles in degrees, logarithms of their deviations, logits of covers, and components.

    The azimuth is voted for as its sine and cosine, since it may be behind +-90 degrees.
    """
    azimuth = torch.atan2(votes[..., 0], votes[..., 1]).rad2deg()
    angles = torch.stack([azimuth, 10.0 * votes[..., 2], 10.0 * votes[..., 3]], dim=-1)
    covers, components = votes[..., 7:_BEFORE_SHAPES], votes[..., _BEFORE_SHAPES:]
    return angles, votes[..., 4:7].clamp(-2.0, 4.0), covers, components


def _voter(inputs: int, hidden: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        *(nn.Linear(inputs, hidden), nn.GELU(), nn.Dropout(0.2)),
        *(nn.Linear(hidden, hidden), nn.GELU(), nn.Dropout(0.2)),
        nn.Linear(hidden, outputs),
    )


def read_points(
    image: Float[Tensor, "rgb=3 h w"], face: Face, partner: Int[Tensor, " fiducial=468"]
) -> HeadPoints:
    """Pose and fiducials of the head around a face.

    The network looks at the photo and at its mirror image, in which `partner` says what each
    fiducial becomes, and the answers are averaged by their precision.
    """
    seen = hints(image, face)
    reflected = hints(image.flip(-1), face.mirrored(image.shape[-1]))
    with torch.inference_mode():
        said = {name: torch.stack([v, reflected.said[name]]) for name, v in seen.said.items()}
        told = averaged(load_points()(said), partner)
    glasses, covered = told.covers[0].tolist()
    return HeadPoints(
        pose=Pose(*told.angles[0].tolist()),
        deviation=Pose(*told.deviations[0].tolist()),
        mesh=seen.mesh,
        corrected=told.points[0].clone() * seen.side + seen.middle,
        glasses=glasses,
        covered=covered,
    )


def averaged(told: Told, partner: Int[Tensor, " fiducial=468"]) -> Told:
    """One answer about a face, from those about its photo and about the mirror image of it.

    The errors of the two have their causes in the same photo, so the mean is given the deviation
    of the answers, and not a smaller one.
    """
    angles = told.angles * told.angles.new_tensor([[1.0, 1.0, 1.0], [-1.0, 1.0, -1.0]])
    mirrored = (told.points[1] * told.points.new_tensor([-1.0, 1.0]))[partner]
    precision = told.deviations.square().reciprocal()
    share = precision[1] / precision.sum(dim=0)
    apart = (angles[1] - angles[0] + 180.0) % 360.0 - 180.0
    turned = angles[0] + share * apart
    turned[0] = (turned[0] + 180.0) % 360.0 - 180.0
    points = torch.lerp(told.points[0], mirrored, share[0])
    deviations = torch.lerp(told.deviations[0], told.deviations[1], share)
    return Told(turned[None], deviations[None], told.covers.mean(dim=0)[None], points[None])


@functools.cache
def load_points(path: Path = WEIGHTS) -> PointsNetwork:
    """The network, ready to look; raises `ValueError` if its file is damaged."""
    weights = read_weights(path)
    kept = {name: weights[f"{name}_basis"].shape[1] for name in WIDTHS}
    hidden, voters = (
        len(weights["voters.0.0.bias"]),
        1 + max(int(name.split(".")[1]) for name in weights if name.startswith("voters.")),
    )
    network = PointsNetwork(kept, len(weights["shape_basis"]), hidden, voters)
    network.load_state_dict(weights)
    return network.eval()

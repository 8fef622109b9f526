"""Find the faces of a photo with BlazeFace.

Reference: BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs, V. Bazarevsky,
Y. Kartynnik, A. Vakunov, K. Raveendran, M. Grundmann, CVPR workshop 2019.
"""

import functools
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor
from torchvision.ops import box_iou, nms

from headrecon.geometry.symmetry import MIRRORED_KEYPOINTS
from headrecon.photos.network import gamma_coded, look_inside, run_network
from headrecon.photos.square import Square, sample, to_photo


@dataclass(frozen=True)
class Blaze:
    """A variant of the detector: network, input side, and the stride and count of its anchors."""

    network: str
    side: int
    anchors: tuple[tuple[int, int], ...]


BACK = Blaze("face_detection_back", 256, ((16, 2), (32, 6)))
FULL_RANGE = Blaze("face_detection_full_range", 192, ((4, 1),))


@dataclass(frozen=True)
class Face:
    """A face in pixels of its photo."""

    x: float
    y: float
    """The centre of its box."""
    side: float
    keypoints: Float[Tensor, "keypoint=6 xy=2"]
    """Eyes, nose tip, mouth and tragions, image left before image right."""
    score: float
    """Confidence in [0, 1]."""

    def mirrored(self, width: int) -> "Face":
        """The face in the mirror image of its photo; its own inverse."""
        points = self.keypoints[list(MIRRORED_KEYPOINTS)]
        points = points * points.new_tensor([-1.0, 1.0]) + points.new_tensor([width, 0.0])
        return replace(self, x=width - self.x, keypoints=points)


def faces_in(
    image: Float[Tensor, "rgb=3 h w"],
    window: Square,
    blaze: Blaze,
    min_score: float,
    overlap: float,
) -> tuple[Face, ...]:
    """The faces in a square window of the photo, best first.

    The network answers once for each anchor with a box and six points, as offsets from the anchor
    in its input pixels. Answers that overlap by more than `overlap` (intersection over union) are
    averaged with their scores as weights, which is steadier than keeping the best.
    """
    picture = 2.0 * gamma_coded(sample(image, window, blaze.side)) - 1.0
    offsets, logits = run_network(blaze.network, picture)
    scores = logits[0, :, 0].sigmoid()
    sure = scores >= min_score
    scores, offsets, anchors = scores[sure], offsets[0][sure], _anchors(blaze)[sure]
    # Centre, width and height, six points: the second is a size, the others are places.
    pairs = offsets.unflatten(-1, (8, 2)) + anchors[:, None]
    pairs[:, 1] -= anchors
    boxes = torch.cat([pairs[:, 0] - pairs[:, 1] / 2, pairs[:, 0] + pairs[:, 1] / 2], dim=-1)
    kept = nms(boxes, scores, overlap)
    votes = (box_iou(boxes[kept], boxes) > overlap) * scores
    merged = torch.einsum("kn,npx->kpx", votes / votes.sum(1, keepdim=True), pairs)
    return tuple(
        _face(pair, float(score), window, blaze)
        for pair, score in zip(merged, scores[kept], strict=True)
    )


def inside_detector(
    image: Float[Tensor, "rgb=3 h w"], window: Square
) -> Float[Tensor, "8 8 channel=96"]:
    """What the detector knows of a window before it answers."""
    picture = 2.0 * gamma_coded(sample(image, window, BACK.side)) - 1.0
    return look_inside(BACK.network, picture)[1][0]


def _face(pairs: Float[Tensor, "8 xy=2"], score: float, window: Square, blaze: Blaze) -> Face:
    """The face in photo pixels, from centre, size and points in pixels of the network's input."""
    places = to_photo(pairs, window, blaze.side)
    side = float(pairs[1].max()) * window.side / blaze.side
    return Face(float(places[0, 0]), float(places[0, 1]), side, places[2:].clone(), score)


@functools.cache
def _anchors(blaze: Blaze) -> Float[Tensor, "anchor xy=2"]:
    """Where each answer is counted from: the centres of the cells, several times each."""
    grids = []
    for stride, count in blaze.anchors:
        cells = (torch.arange(blaze.side // stride) + 0.5) * stride
        y, x = torch.meshgrid(cells, cells, indexing="ij")
        grids.append(torch.stack([x, y], dim=-1).flatten(0, 1).repeat_interleave(count, dim=0))
    return torch.cat(grids)

"""Find the faces that a photo could be about, and their points."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.photos.faces import BACK, Face, faces_in
from headrecon.photos.landmarks import FaceMesh, face_mesh, window_of_box, window_of_points
from headrecon.photos.square import Square, whole
from headrecon.types import Rejection

_SHRINK = 0.6
"""Ratio of the sides of tiles from one look to the next."""


@dataclass(frozen=True)
class FindFace:
    """The faces that a photo could be about, or why there is none.

    The detector sees a fixed number of pixels and likes faces of a middling share of its window. So
    the whole photo is looked at first, then, if that gives no good face, the photo amid an empty
    margin (close-ups whose face fills the frame) and overlapping tiles (small faces), which get
    smaller as long as nothing is found. Faces
    that are chosen are looked at once more in windows of their own, always at the same scale,
    which steadies their boxes and points. The scale matters: in narrow windows the points of a
    profile crowd together, as if it were turned by 70 degrees only.

    A face's claim is its side * score * centrality, where centrality falls from 1 in the middle of
    the photo to 1/2 at its edge.
    """

    min_score: float
    """Confidence from which on an answer of the detector is a face."""
    good_score: float
    """Confidence from which on no second look at other scales is needed."""
    overlap: float
    """Intersection over union from which on two answers are the same face."""
    finest: float
    """Smallest side of a tile, in pixels of the photo."""
    focus: float
    """Side of the window of the last look, in sides of the face's box."""
    rival: float
    """Other faces count whose claim is at least this share of the strongest."""
    most: int
    """Faces that are looked at closely in one photo."""

    def __call__(
        self, name: str, image: Float[Tensor, "rgb=3 h w"]
    ) -> tuple[Face, ...] | Rejection:
        """Look, choose, and look again; the strongest claim comes first."""
        faces = self._look(image)
        if not faces:
            return Rejection(name, "no face found")
        least = self.rival * _claim(faces[0], image)
        chosen = [face for face in faces if _claim(face, image) >= least][: self.most]
        return tuple(self._look_closer(image, face) for face in chosen)

    def _look(self, image: Float[Tensor, "rgb=3 h w"]) -> tuple[Face, ...]:
        """The faces of the photo, the strongest claim first."""
        faces: tuple[Face, ...] = ()
        for windows in self._tiers(image):
            more = chain.from_iterable(
                faces_in(image, window, BACK, self.min_score, self.overlap) for window in windows
            )
            faces = _distinct((*faces, *more))
            if max((face.score for face in faces), default=0.0) >= self.good_score:
                break
        return tuple(sorted(faces, key=lambda face: -_claim(face, image)))

    def _tiers(self, image: Float[Tensor, "rgb=3 h w"]) -> Iterator[tuple[Square, ...]]:
        """Windows to look at together, from the whole photo to small tiles."""
        frame = whole(image)
        yield (frame,)
        side = _SHRINK * frame.side
        yield (Square(frame.x, frame.y, 2.0 * frame.side, 0.0), *_tiles(image, side))
        while (side := _SHRINK * side) >= self.finest:
            yield _tiles(image, side)

    def _look_closer(self, image: Float[Tensor, "rgb=3 h w"], face: Face) -> Face:
        """The same face seen at the standard scale; as it was, if it is not found there.

        In a window full of a profile the first box can be a good half of its side off.
        """
        window = Square(face.x, face.y, self.focus * face.side, 0.0)
        found = faces_in(image, window, BACK, self.min_score, self.overlap)
        near = [again for again in found if _distance(again, face) < 0.6 * face.side]
        return max(near, key=lambda again: again.score, default=face)


def detect_fiducials(
    image: Float[Tensor, "rgb=3 h w"], find_face: FindFace
) -> tuple[Face, FaceMesh] | Rejection:
    """The photo's face, and its mesh."""
    faces = find_face("", image)
    if isinstance(faces, Rejection):
        return faces
    return faces[0], steady_mesh(image, faces[0])


def steady_mesh(image: Float[Tensor, "rgb=3 h w"], face: Face) -> FaceMesh:
    """The face's mesh.

    The mesh is taken twice, the second time in the window of its first points: that window fits
    tighter than the detector's box, and makes the points independent of the box's jitter.
    """
    first = face_mesh(image, window_of_box(face.x, face.y, face.side, face.keypoints[:2]))
    return face_mesh(image, window_of_points(first.points))


def _claim(face: Face, image: Tensor) -> float:
    height, width = image.shape[-2:]
    off_centre = max(abs(2.0 * face.x / width - 1.0), abs(2.0 * face.y / height - 1.0))
    return face.side * face.score * (1.0 - 0.5 * min(off_centre, 1.0))


def _distance(one: Face, other: Face) -> float:
    return float(torch.dist(torch.tensor([one.x, one.y]), torch.tensor([other.x, other.y])))


def _distinct(faces: tuple[Face, ...]) -> tuple[Face, ...]:
    """Each face once, as the answer that is surest of it."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(_distance(face, other) > max(face.side, other.side) / 2 for other in kept):
            kept.append(face)
    return tuple(kept)


def _tiles(image: Float[Tensor, "rgb=3 h w"], side: float) -> tuple[Square, ...]:
    """Windows of that side all over the photo, which overlap by a third of it or more."""
    rows, columns = (_middles(length, side) for length in image.shape[-2:])
    return tuple(Square(x, y, side, 0.0) for y in rows for x in columns)


def _middles(length: int, side: float) -> list[float]:
    """Middles of the fewest pieces that cover a length and overlap by a third."""
    if side >= length:
        return [length / 2]
    count = 1 + math.ceil((length - side) / (2.0 / 3.0 * side))
    return torch.linspace(side / 2, length - side / 2, count).tolist()

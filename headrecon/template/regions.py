"""Which part of the head a vertex belongs to, by its place on the average head.

The outlines are drawn by hand on the average head, in millimetres of its head frame; other heads
share its vertices, and so its regions.
"""

import numpy as np
from jaxtyping import Float, Int

REGIONS = ("face", "ears", "neck", "scalp", "eyes", "lips")
"""Face is its skin without lips and eyeballs; scalp is where hair grows."""

_HAIRLINE = (
    (-130.0, -48.0),
    (-40.0, -42.0),
    (-20.0, -30.0),
    (-18.0, 22.0),
    (4.0, 22.0),
    (9.0, 2.0),
    (18.0, 4.0),
    (24.0, 40.0),
    (45.0, 58.0),
    (62.0, 84.0),
    (110.0, 92.0),
)
"""(z, y) from the nape over the ear and the temple to the forehead."""
_JAW = ((-130.0, -20.0), (-5.0, -32.0), (8.0, -48.0), (30.0, -70.0), (80.0, -92.0), (130.0, -96.0))
"""(z, y) from below the ear along the jaw to below the chin."""
_EAR_CENTRE, _EAR_RADII = (6.0, -6.0), (34.0, 22.0)
"""(y, z) of an ellipse around the ear, seen from the side."""
_EAR_SIDE = 58.0
_LIP_HEIGHTS = (7.5, 11.0)
"""Of the upper and the lower lip, in the middle."""


def regions(
    vertices: Float[np.ndarray, "vertex xyz=3"],
    eyes: Int[np.ndarray, " eye"],
    mouth: Int[np.ndarray, " rim"],
) -> Int[np.ndarray, " vertex"]:
    """Index into REGIONS for each vertex of the average head."""
    label = np.full(len(vertices), REGIONS.index("face"))
    label[above_hairline(vertices) > 0] = REGIONS.index("scalp")
    label[below_jaw(vertices) > 0] = REGIONS.index("neck")
    label[within_ears(vertices) > 0] = REGIONS.index("ears")
    label[within_lips(vertices, vertices[mouth]) > 0] = REGIONS.index("lips")
    label[eyes] = REGIONS.index("eyes")
    return label


def above_hairline(points: Float[np.ndarray, "point xyz=3"]) -> Float[np.ndarray, " point"]:
    """Height in millimetres over the line where hair begins."""
    z, y = np.array(_HAIRLINE).T
    return points[:, 1] - np.interp(points[:, 2], z, y)


def below_jaw(points: Float[np.ndarray, "point xyz=3"]) -> Float[np.ndarray, " point"]:
    """Depth in millimetres under the line of the jaw; negative where hair grows."""
    z, y = np.array(_JAW).T
    depth = np.interp(points[:, 2], z, y) - points[:, 1]
    return np.minimum(depth, -above_hairline(points))


def within_ears(points: Float[np.ndarray, "point xyz=3"]) -> Float[np.ndarray, " point"]:
    """1 in the middle of the ears, 0 at their outline, negative outside."""
    offset = (points[:, [1, 2]] - np.array(_EAR_CENTRE)) / np.array(_EAR_RADII)
    inside = 1.0 - np.linalg.norm(offset, axis=1)
    return np.where(np.abs(points[:, 0]) > _EAR_SIDE, inside, -1.0)


def within_lips(
    points: Float[np.ndarray, "point xyz=3"], rim: Float[np.ndarray, "rim xyz=3"]
) -> Float[np.ndarray, " point"]:
    """1 where the lips meet, 0 at the edge of their red, negative outside.

    An ellipse a little wider than the mouth, with one height above and one below the line of the
    mouth.
    """
    # One smooth line between the upper and the lower half of the rim.
    line = np.polyfit(np.abs(rim[:, 0]), rim[:, 1], 3)
    reach = np.abs(points[:, 0]).clip(max=rim[:, 0].max())
    height = points[:, 1] - np.polyval(line, reach)
    tall = np.where(height > 0, *_LIP_HEIGHTS)
    across = points[:, 0] / (1.12 * rim[:, 0].max())
    inside = 1.0 - np.hypot(height / tall, across)
    return np.where(points[:, 2] > rim[:, 2].min() - 5.0, inside, -1.0)

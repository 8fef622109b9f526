"""The orientation in which known points are seen at given places."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from scipy.spatial.transform import Rotation

Points = Float[np.ndarray, "point xyz=3"]
Places = Float[np.ndarray, "point xy=2"]
Matrix = Float[np.ndarray, "3 3"]

_ROUNDS = 25
_LARGEST_TURN = 0.5
_SMALLEST_TURN = 1e-5


@dataclass(frozen=True)
class Fit:
    """A weak-perspective view of known points."""

    view_from_head: Matrix
    scale: float
    """Units of the places per unit of the points."""
    shift: Float[np.ndarray, "xy=2"]
    """Where the origin of the points is seen."""
    cost: float
    """Sum of the robust losses; comparable between fits to the same places."""


def fit_view(points: Points, places: Places, start: Matrix, tolerance: float) -> Fit:
    """The view of the points that comes closest to the places, from a first guess.

        min over R, s, t of  sum_i  rho(|s P R X_i + t - x_i| / (s tolerance)),   P drops z

    with rho(r) = 2 (sqrt(1 + r^2) - 1), which grows linearly for large r, so that an open mouth
    does not tip the head. Solved by reweighted Gauss-Newton steps, turning R by exp(w).

    Convention: y of both points up; `tolerance` in the unit of the points.
    """
    middle, centre = points.mean(0), places.mean(0)
    points, places = points - middle, places - centre
    rotation = start
    scale = _first_scale(points, places, start)
    shift = np.zeros(2)
    cost = np.inf
    for _ in range(_ROUNDS):
        seen = points @ rotation.T
        error = places - (scale * seen[:, :2] + shift)
        stretch = np.sqrt(1.0 + (error**2).sum(1) / (scale * tolerance) ** 2)
        cost = 2.0 * float((stretch - 1.0).sum())
        root = stretch[:, None] ** -0.5
        slopes = (_slopes(seen, scale) * root[..., None]).reshape(-1, 6)
        step = np.linalg.lstsq(slopes, (error * root).ravel(), rcond=None)[0]
        turn = float(np.linalg.norm(step[:3]))
        # Long steps are shortened: the problem is linear only close by.
        step *= min(1.0, _LARGEST_TURN / max(turn, _SMALLEST_TURN))
        rotation = Rotation.from_rotvec(step[:3]).as_matrix() @ rotation
        scale = max(0.5 * scale, scale + float(step[3]))
        shift = shift + step[4:]
        if turn < _SMALLEST_TURN:
            break
    origin = centre + shift - scale * rotation[:2] @ middle
    return Fit(rotation, scale, origin, cost)


def _first_scale(points: Points, places: Places, rotation: Matrix) -> float:
    flat = points @ rotation[:2].T
    return float(np.sqrt((places**2).sum() / (flat**2).sum()))


def _slopes(seen: Points, scale: float) -> Float[np.ndarray, "point xy=2 parameter=6"]:
    """Derivatives of the places by a further turn (3), the scale, and the shift (2)."""
    x, y, z = seen.T
    zero, one = np.zeros_like(x), np.ones_like(x)
    of_x = np.stack([zero, scale * z, -scale * y, x, one, zero], axis=1)
    of_y = np.stack([-scale * z, zero, scale * x, y, zero, one], axis=1)
    return np.stack([of_x, of_y], axis=1)

"""Azimuth, elevation and roll of a head, and the rotation that they stand for."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def view_from_head(
    azimuth: float, elevation: float = 0.0, roll: float = 0.0
) -> Float[Tensor, "3 3"]:
    """Rotation of points of the head frame into the view frame; angles in degrees.

        R = R_z(roll) R_x(-elevation) R_y(azimuth)

    so that the direction of the nose, (0, 0, 1) in the head frame, is seen before rolling at
    (sin a, cos a sin e, cos a cos e).

    Convention: x right, y up, z to the viewer. Positive azimuth turns the nose to the image right,
    positive elevation turns it up, positive roll turns the crown to the image left.
    """
    a, e, r = (math.radians(angle) for angle in (azimuth, elevation, roll))
    about_y = torch.tensor(
        [[math.cos(a), 0.0, math.sin(a)], [0.0, 1.0, 0.0], [-math.sin(a), 0.0, math.cos(a)]]
    )
    about_x = torch.tensor(
        [[1.0, 0.0, 0.0], [0.0, math.cos(e), math.sin(e)], [0.0, -math.sin(e), math.cos(e)]]
    )
    about_z = torch.tensor(
        [[math.cos(r), -math.sin(r), 0.0], [math.sin(r), math.cos(r), 0.0], [0.0, 0.0, 1.0]]
    )
    return about_z @ about_x @ about_y


def angles(rotation: Float[Tensor, "3 3"]) -> tuple[float, float, float]:
    """Azimuth, elevation and roll in degrees: the inverse of `view_from_head`.

    At an azimuth of +-90 degrees elevation and roll turn about the same axis; all of it is then
    given to roll.
    """
    r = rotation.double().cpu()
    # R_z(roll) leaves the last row alone: (-cos e sin a, -sin e, cos e cos a).
    elevation = math.asin(max(-1.0, min(1.0, -float(r[2, 1]))))
    azimuth = math.atan2(-float(r[2, 0]), float(r[2, 2]))
    unrolled = view_from_head(math.degrees(azimuth), math.degrees(elevation)).double()
    about_z = r @ unrolled.T
    roll = math.atan2(float(about_z[1, 0]), float(about_z[0, 0]))
    return math.degrees(azimuth), math.degrees(elevation), math.degrees(roll)

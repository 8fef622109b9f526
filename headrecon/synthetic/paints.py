"""How skin, hair, cloth and plastic look."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from headrecon.synthetic.scene import Finish
from headrecon.template.model import HeadModel
from headrecon.template.regions import above_hairline, within_ears
from headrecon.template.skin import RGB, Complexion, Places, paint, strand_noise

_STRAND_SLOPE = 0.25
_PORE_SLOPE = 0.03


@dataclass(frozen=True)
class Plain:
    """One colour all over."""

    color: RGB
    gloss: float
    roughness: float

    def __call__(self, marks: Float[np.ndarray, "point mark"]) -> Finish:
        """The finish."""
        count = len(marks)
        return Finish(
            np.broadcast_to(np.array(self.color), (count, 3)),
            np.full(count, self.gloss),
            np.full(count, self.roughness),
            np.zeros((count, 3)),
        )


@dataclass(frozen=True)
class HeadPaint:
    """Skin, eyes, lips and the hair of the scalp; the marks are those of `vertex_marks`."""

    model: HeadModel
    look: Complexion

    def __call__(self, marks: Float[np.ndarray, "point mark"]) -> Finish:
        """The finish of points by their places on the average head."""
        xyz, eye = marks[:, :3], marks[:, 3]
        albedo = paint(Places(xyz, eye, marks[:, 4]), self.model, self.look)
        hair = np.clip((above_hairline(xyz) + 2.0) / 6.0, 0.0, 1.0) * (within_ears(xyz) < -0.1)
        hair = hair * self.look.scalp
        # The forehead, the nose and the chin are oilier than the cheeks.
        oily = 0.7 + 0.6 * np.exp(-((xyz[:, 0] / 16.0) ** 2)) * (xyz[:, 2] > 60)
        eyeball = np.clip((eye - 0.4) / 0.3, 0.0, 1.0)
        random = np.random.default_rng(self.look.seed)
        pores = _PORE_SLOPE * random.standard_normal((len(xyz), 3))
        bump = pores * ((1 - eyeball) * (1 - hair))[:, None] + hair[:, None] * combed(
            xyz, self.look.seed
        )
        return Finish(
            albedo,
            (oily * (1 - hair) + 0.35 * hair) * (1 - eyeball) + 2.0 * eyeball,
            0.42 * (1 - eyeball) + 0.13 * eyeball,
            bump,
        )


@dataclass(frozen=True)
class HairPaint:
    """Strands of one colour; the marks are places in the head frame."""

    color: RGB
    seed: int

    def __call__(self, marks: Float[np.ndarray, "point mark"]) -> Finish:
        """The finish of points of a curtain of hair."""
        strands = 1.0 + 0.3 * strand_noise(marks[:, :3], self.seed)
        count = len(marks)
        return Finish(
            np.array(self.color) * strands[:, None].clip(0.2),
            np.full(count, 0.35),
            np.full(count, 0.45),
            combed(marks[:, :3], self.seed),
        )


def combed(xyz: Float[np.ndarray, "point 3"], seed: int) -> Float[np.ndarray, "point 3"]:
    """Tilt of the normal across strands of hair, which catch light like thin cylinders."""
    across = np.column_stack([xyz[:, 2] + 45.0, np.zeros(len(xyz)), -xyz[:, 0]])
    across /= np.linalg.norm(across, axis=1, keepdims=True).clip(1.0)
    return _STRAND_SLOPE * strand_noise(xyz, seed + 1)[:, None] * across


@dataclass(frozen=True)
class ClothPaint:
    """A shirt, a jacket over a shirt with or without a tie, or a jersey.

    The marks are the place relative to the middle of the neck's rim, and 1 on the skin of the neck.
    """

    kind: str
    """One of `CLOTHES`."""
    outer: RGB
    inner: RGB
    tie: RGB
    stripes: float
    """Strength of a pattern of stripes."""

    def __call__(self, marks: Float[np.ndarray, "point mark"]) -> Finish:
        """The finish."""
        x, y, z = marks[:, :3].T
        color = np.broadcast_to(np.array(self.outer), (len(x), 3)).copy()
        front, depth = z > 0, np.maximum(-y, 0.0)
        if self.kind in ("jacket", "suit"):
            opening = front & (np.abs(x) < 34.0 * np.clip(1.2 - depth / 260.0, 0.0, 1.2) + 8.0)
            color[opening | (depth < 22.0)] = self.inner
            if self.kind == "suit":
                color[front & (np.abs(x) < 10.0 + depth / 20.0) & (depth > 14.0)] = self.tie
        elif self.kind == "shirt":
            color[depth < 18.0] = 1.1 * np.array(self.outer)
            color[front & (np.abs(x) < 1.5)] = 0.6 * np.array(self.outer)
        pattern = 1.0 + self.stripes * np.sign(np.sin(x / 3.0))
        folds = 1.0 + 0.1 * np.sin(x / 41.0 + 0.03 * y) * np.sin(y / 37.0 + z / 53.0)
        count = len(x)
        return Finish(
            (color * (pattern * folds)[:, None]).clip(0.01, 0.9),
            np.full(count, 0.25),
            np.full(count, 0.6),
            np.zeros((count, 3)),
        )


CLOTHES = ("jersey", "shirt", "jacket", "suit")

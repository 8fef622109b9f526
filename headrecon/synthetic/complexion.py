"""Colours that go together in one person."""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from headrecon.template.skin import RGB, Complexion

_SKINS = np.array(
    [
        [0.66, 0.45, 0.37],
        [0.57, 0.36, 0.27],
        [0.47, 0.28, 0.19],
        [0.33, 0.18, 0.115],
        [0.2, 0.105, 0.065],
        [0.105, 0.055, 0.037],
    ]
)
"""From the fairest to the darkest, linear RGB."""
_HAIRS = np.array(
    [[0.02, 0.015, 0.012], [0.05, 0.03, 0.02], [0.14, 0.08, 0.04], [0.22, 0.07, 0.03]]
)
_GREY = np.array([0.32, 0.31, 0.3])
_IRISES = np.array([[0.05, 0.03, 0.02], [0.12, 0.07, 0.03], [0.10, 0.14, 0.16], [0.08, 0.12, 0.06]])
_FAIR = 2.0
"""Tones up to which light hair and eyes are common."""


def draw_complexion(random: np.random.Generator) -> Complexion:
    """A skin tone over the whole human range, and hair, lips and eyes to match."""
    tone = random.uniform(0.0, len(_SKINS) - 1.0)
    row = min(int(tone), len(_SKINS) - 2)
    skin = _SKINS[row] + (tone - row) * (_SKINS[row + 1] - _SKINS[row])
    # Melanin darkens blue the most; blood takes green away.
    skin = skin * np.exp(random.normal(0.0, 0.05) * np.array([0.5, 1.0, 1.4]))
    skin = skin * np.exp(random.normal(0.0, 0.05) * np.array([0.0, 1.0, 0.5]))
    hair = _HAIRS[random.integers(len(_HAIRS)) if tone < _FAIR else 0] * random.uniform(0.8, 1.3)
    grey = random.choice([0.0, 0.0, 0.0, random.uniform(0.2, 1.0)])
    beard = random.choice([0.0, 0.0, 0.15, 0.3, 0.75], p=[0.35, 0.2, 0.2, 0.15, 0.1])
    return Complexion(
        skin=_rgb(skin),
        lips=_rgb(skin * random.uniform((0.75, 0.5, 0.55), (0.95, 0.7, 0.75))),
        hair=_rgb(hair + grey * (_GREY - hair)),
        iris=_rgb(_IRISES[random.integers(len(_IRISES)) if tone < _FAIR else 0]),
        brow=random.uniform(0.5, 0.95),
        stubble=float(beard),
        freckles=float(random.choice([0.0, 0.0, 0.3, 0.6])) * (tone < _FAIR),
        blotches=random.uniform(0.03, 0.08),
        scalp=1.0,
        gaze=(0.0, 0.0),
        seed=int(random.integers(2**31)),
    )


def aged(look: Complexion, age: float) -> Complexion:
    """The same person later: greyer, with more spots; `age` in [0, 1]."""
    hair = np.array(look.hair)
    return replace(
        look, hair=_rgb(hair + age * (_GREY - hair)), blotches=look.blotches * (1.0 + age)
    )


def _rgb(color: Float[np.ndarray, "3"]) -> RGB:
    red, green, blue = (float(value) for value in color)
    return red, green, blue

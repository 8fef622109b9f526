"""What differs from photo to photo: pose, camera, face, light, and what gets in the way."""

from dataclasses import dataclass

import numpy as np

from headrecon.synthetic.dirt import STRANGERS
from headrecon.synthetic.light import RGB, XYZ, Lamp, Light

GOLDEN = (5**0.5 - 1) / 2
"""Multiples of it, modulo 1, spread evenly over [0, 1]."""
_CLUSTERS = ((0, 0.34), (30, 0.14), (-30, 0.14), (60, 0.1), (-60, 0.1), (90, 0.09), (-90, 0.09))
"""Middle azimuths and the share of the photos within 15 degrees of each."""
_EXPRESSIONS = (
    (("mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "cheekSquintRight"), 0.8),
    (("mouthSmileLeft", "mouthSmileRight", "jawOpen"), 0.35),
    (("jawOpen",), 0.25),
    (("browInnerUp", "browOuterUpLeft", "browOuterUpRight"), 0.5),
    (("browDownLeft", "browDownRight"), 0.5),
    (("eyeBlinkLeft", "eyeBlinkRight"), 0.4),
    (("eyeSquintLeft", "eyeSquintRight"), 0.6),
    (("mouthPucker",), 0.3),
    (("mouthPressLeft", "mouthPressRight"), 0.4),
    (("mouthFrownLeft", "mouthFrownRight"), 0.4),
)
"""Actions that go together, and how strong they get."""
_OCCLUDERS = ("sunglasses", "glasses", "microphone", "hand")


@dataclass(frozen=True)
class Pose:
    """Of the head relative to the line of sight, degrees."""

    azimuth: float
    elevation: float
    roll: float


@dataclass(frozen=True)
class Framing:
    """How the photographer stands and crops."""

    distance: float
    """Millimetres from the camera to the head."""
    share: float
    """Height of the head in heights of the picture."""
    x: float
    y: float
    """Where the middle of the head is, in widths and heights of the picture."""
    height: int
    width: int


@dataclass(frozen=True)
class Taking:
    """All that a photo depends on; the same taking gives the same photo, byte for byte."""

    name: str
    identity: int
    """Seed of the person; -1 for a picture of nobody."""
    style: int
    age: float
    pose: Pose
    framing: Framing
    expression: tuple[float, ...]
    """Strength of each facial action of the head model."""
    gaze: tuple[float, float]
    """Degrees to the person's left and up."""
    light: Light
    occluder: str
    """What is before the face; empty if nothing is."""
    bystander: int
    """Seed of a second person in the background; -1 if there is none."""
    banner: bool
    seed: int
    """Of everything that has no truth: clothes, place, sensor."""


@dataclass(frozen=True)
class Chance:
    """Bounds and rates of what differs between the photos."""

    min_side: int
    max_side: int
    """Bounds of the photo's height in pixels."""
    azimuth: float
    """Largest azimuth in degrees."""
    mildness: float
    """Strength of expressions; 0 keeps the face neutral, 1 is as people are in photos."""
    specular: float
    """Mean strength of highlights; 0 makes all surfaces matt."""
    aging: float
    """How much older the person is at most in the latest photos, in [0, 1]."""
    restyled: float
    """Share of the photos with the person's other hair style."""
    occluder: float
    """Share of the photos with something before the face, as for what follows."""
    second_face: float
    banner: float

    def __call__(
        self,
        name: str,
        index: int,
        identity: int,
        actions: tuple[str, ...],
        random: np.random.Generator,
    ) -> Taking:
        """The photo with this index, as chance has it."""
        pose = draw_pose(index, self.azimuth, random)
        return Taking(
            name=name,
            identity=identity,
            style=int(random.uniform() < self.restyled),
            age=self.aging * float(random.uniform()),
            pose=pose,
            framing=self._framing(random),
            expression=draw_expression(actions, self.mildness, random),
            gaze=_gaze(pose, random),
            light=draw_light(self.specular, random),
            occluder=_OCCLUDERS[random.integers(4)] if random.uniform() < self.occluder else "",
            bystander=(
                int(random.choice(STRANGERS)) if random.uniform() < self.second_face else -1
            ),
            banner=bool(random.uniform() < self.banner),
            seed=int(random.integers(2**31)),
        )

    def _framing(self, random: np.random.Generator) -> Framing:
        """From selfies to long lenses, from half-length portraits to faces alone."""
        height = int(np.exp(random.uniform(np.log(self.min_side), np.log(self.max_side + 1))))
        width = int(height * random.choice([0.67, 0.75, 0.8, 1.0, 1.0, 1.25, 1.5]))
        tight = random.uniform() < 0.15
        # Small pictures of small faces are of no use to anybody.
        low = max(0.35, 80.0 / height)
        share = random.uniform(0.8, 1.05) if tight else random.uniform(low, max(low, 0.7))
        return Framing(
            distance=float(np.exp(random.uniform(np.log(400.0), np.log(5000.0)))),
            share=float(min(share, 1.1 * width / height)),
            x=0.5 + float(np.clip(random.normal(0.0, 0.07), -0.18, 0.18)),
            y=0.47 + float(np.clip(random.normal(0.0, 0.05), -0.1, 0.1)),
            height=min(height, self.max_side),
            width=min(width, self.max_side),
        )


def draw_pose(index: int, limit: float, random: np.random.Generator) -> Pose:
    """A pose; the azimuths of successive photos fill the clusters evenly.

    Multiples of the golden ratio spread over [0, 1] better than chance, so that even a small
    collection has profiles. With a limit below 95 degrees, clusters beyond it are left out.
    """
    clusters = [(middle, share) for middle, share in _CLUSTERS if abs(middle) <= limit]
    u = (0.5 + index * GOLDEN) % 1.0
    shares = np.array([share for _, share in clusters])
    cluster = int(np.searchsorted(shares.cumsum(), u * shares.sum(), side="right"))
    azimuth = clusters[min(cluster, len(clusters) - 1)][0] + random.uniform(-15.0, 15.0)
    return Pose(
        azimuth=float(np.clip(azimuth, -limit, limit)),
        elevation=float(np.clip(random.normal(0.0, 8.0), -20.0, 20.0)),
        roll=float(np.clip(random.normal(0.0, 6.0), -20.0, 20.0)),
    )


def draw_expression(
    actions: tuple[str, ...], mildness: float, random: np.random.Generator
) -> tuple[float, ...]:
    """Strengths of the facial actions: two usual expressions, each as strong as chance has it."""
    strength = np.zeros(len(actions))
    for choice in random.choice(len(_EXPRESSIONS), size=2, replace=False):
        names, most = _EXPRESSIONS[choice]
        rows = [actions.index(name) for name in names]
        strength[rows] = np.maximum(strength[rows], mildness * most * random.uniform() ** 1.5)
    return tuple(strength.tolist())


def _gaze(pose: Pose, random: np.random.Generator) -> tuple[float, float]:
    """Often into the camera, as far as eyes turn; else anywhere near straight ahead."""
    aside, up = random.normal(0.0, 7.0), random.normal(0.0, 4.0)
    if random.uniform() < 0.5 and abs(pose.azimuth) < 45.0:
        aside, up = -0.6 * pose.azimuth, -0.6 * pose.elevation
    return float(np.clip(aside, -22.0, 22.0)), float(np.clip(up, -12.0, 12.0))


def draw_light(specular: float, random: np.random.Generator) -> Light:
    """One kind of light out of those that photos are taken in.

    An overcast sky or a room (soft), the sun or a stage lamp (hard, often from the side), a flash
    beside the camera, and mixed lamps of different colours.
    """
    kind = random.choice(["soft", "sun", "flash", "mixed"], p=[0.35, 0.25, 0.2, 0.2])
    warm = random.normal(0.0, 0.08)
    share = {"soft": 0.8, "sun": 0.3, "flash": 0.35, "mixed": 0.4}[kind] * random.uniform(0.7, 1.2)
    share = float(np.clip(share, 0.15, 0.95))
    count = {"soft": int(random.integers(0, 2)), "sun": 1, "flash": 1, "mixed": 3}[kind]
    glows = tuple(
        Lamp(_direction(120.0, 40.0, random), _color(0.5 * share * random.uniform(), warm), 1.0)
        for _ in range(2)
    )
    around = {"soft": 60.0, "sun": 55.0, "flash": 6.0, "mixed": 80.0}[kind]
    lamps = tuple(
        Lamp(
            direction=_direction(around, 25.0 if kind != "flash" else 8.0, random),
            color=_color(
                1.6 * (1.0 - share) * random.uniform(0.5, 1.2) / count**0.7,
                random.normal(-warm, 0.2 if kind == "mixed" else 0.08),
            ),
            size=float(random.choice([0.01, 0.03, 0.1])),
        )
        for _ in range(count)
    )
    return Light(
        ambient=_color(share, warm),
        glows=glows,
        lamps=lamps,
        specular=specular * float(random.gamma(4.0, 0.25)),
    )


def _direction(spread: float, high: float, random: np.random.Generator) -> XYZ:
    """A direction around that of the camera, more often above than below; degrees."""
    around = np.radians(np.clip(random.normal(0.0, spread), -150.0, 150.0))
    above = np.radians(np.clip(random.normal(high, 18.0), -20.0, 80.0))
    x, y, z = np.sin(around) * np.cos(above), np.sin(above), np.cos(around) * np.cos(above)
    return float(x), float(y), float(z)


def _color(strength: float, warm: float) -> RGB:
    """A light of this strength, redder when warm and bluer when cold."""
    return strength * float(np.exp(warm)), float(strength), strength * float(np.exp(-warm))

"""A sample of plausible people, as coefficients of the body model."""

import numpy as np
import torch
from jaxtyping import Float

from headrecon.template.body import Body, phenotype_coefficients

_HEAD_PARTS = (
    "head",
    "forehead",
    "eyebrows",
    "eye",
    "nose",
    "mouth",
    "ear",
    "cheek",
    "chin",
    "neck",
)
_SPREAD = 0.22
"""Standard deviation of a local change; anny gives 1 to its extremes."""
_SKULL_SPREAD = 0.12
"""The same for the shape of the skull, whose extremes are further from any living head."""
_ASYMMETRY = 0.06
"""The same for the difference between left and right."""


def random_people(body: Body, count: int, seed: int) -> Float[np.ndarray, "person shape"]:
    """Coefficients of adults of both sexes, all ages and origins, with features of their own."""
    random = np.random.default_rng(seed)
    origins = random.dirichlet(np.full(3, 0.7), size=count)
    values = {
        "gender": random.uniform(0.0, 1.0, count),
        "age": random.uniform(0.6, 0.95, count),
        **{
            name: random.normal(0.5, 0.15, count).clip(0.1, 0.9)
            for name in ("muscle", "weight", "height", "proportions")
        },
        **dict(zip(("african", "asian", "caucasian"), origins.T, strict=True)),
    }
    tensors = {name: torch.from_numpy(value) for name, value in values.items()}
    coefficients = phenotype_coefficients(body.model, tensors).numpy().copy()
    for part, pairs in _changes(body).items():
        shared = random.normal(0.0, _SKULL_SPREAD if part.startswith("head") else _SPREAD, count)
        for incr, decr in pairs:
            # What a face has once, like its chin, has no left and right that could differ.
            own = shared + random.normal(0.0, _ASYMMETRY, count) * (len(pairs) > 1)
            coefficients[:, incr] = own.clip(0.0, 1.0)
            coefficients[:, decr] = (-own).clip(0.0, 1.0)
    return coefficients


def _changes(body: Body) -> dict[str, list[tuple[int, int]]]:
    """For each change of the head, left and right as one: the shapes of its two directions."""
    names = body.model.local_change_labels
    first = len(body.labels) - 2 * len(names)
    found: dict[str, list[tuple[int, int]]] = {}
    for index, name in enumerate(names):
        part = name.removeprefix("l-").removeprefix("r-")
        if part.split("-")[0] in _HEAD_PARTS and not part.startswith("head-age"):
            found.setdefault(part, []).append((first + 2 * index, first + 2 * index + 1))
    return found

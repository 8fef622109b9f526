"""Pictures of what the parts of a mesh rest on."""

import numpy as np
import torch
from matplotlib import colormaps
from PIL import Image

from headrecon.draw.turntable import painted
from headrecon.types import SOURCES, CompleteHead

MOST_OFF = 10.0
"""Millimetres at the bright end of the picture of deviations."""
_COLORS = {"photos": (0.05, 0.25, 0.8), "outline": (0.9, 0.35, 0.02), "filled": (0.6, 0.6, 0.6)}


def sources(whole: CompleteHead) -> Image.Image:
    """The head from five sides, colored by `SOURCES`."""
    colors = torch.tensor([_COLORS[name] for name in SOURCES]).to(whole.mesh.vertices)
    return painted(whole.mesh, colors[whole.evidence.source])


def deviation(whole: CompleteHead) -> Image.Image:
    """The head from five sides, the brighter the further a vertex may be off."""
    share = (whole.evidence.deviation / MOST_OFF).clamp(0.0, 1.0).cpu().numpy()
    levels = np.asarray(colormaps["inferno"](share))[:, :3] ** 2.2
    return painted(whole.mesh, torch.from_numpy(levels).to(whole.mesh.vertices))

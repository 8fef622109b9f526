"""Distance to the outline of a mask."""

import numpy as np
import torch
from jaxtyping import Bool, Float
from scipy.ndimage import distance_transform_edt
from torch import Tensor


def signed_distance(mask: Bool[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """Pixels to the outline of the mask, positive outside."""
    m = mask.cpu().numpy()
    if m.all() or not m.any():
        return torch.zeros(mask.shape, device=mask.device)
    within = np.asarray(distance_transform_edt(m))
    without = np.asarray(distance_transform_edt(~m))
    distance = np.where(m, 0.5 - within, without - 0.5)
    return torch.from_numpy(distance).to(mask.device, torch.float32)

"""Parts of the head that the vertices of a mesh belong to."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from scipy.spatial import KDTree
from torch import Tensor

from headrecon.types import REGIONS, Template


def is_part(
    vertices: Float[Tensor, "vertex xyz=3"], template: Template, names: Sequence[str]
) -> Float[Tensor, " vertex"]:
    """1 for the vertices whose nearest one of the template is in one of these regions, else 0."""
    tree = KDTree(template.vertices.cpu().numpy())
    nearest = torch.from_numpy(tree.query(vertices.cpu().numpy())[1]).to(template.region)
    chosen = template.region.new_tensor([REGIONS.index(name) for name in names])
    return torch.isin(template.region[nearest], chosen).to(vertices)

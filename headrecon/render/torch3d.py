"""The only door to pytorch3d, which has no wheels for some platforms."""

import torch
from jaxtyping import Float
from torch import Tensor

try:
    from pytorch3d.loss import mesh_laplacian_smoothing, mesh_normal_consistency
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.structures import Meshes
except ImportError as error:
    raise ImportError(
        "headrecon needs pytorch3d here; on Linux x86_64: pip install easypytorch3d==0.7.9.post1"
    ) from error

__all__ = [
    "Meshes",
    "laplacian_smoothness",
    "mesh_normal_consistency",
    "rasterize_meshes",
]


def laplacian_smoothness(meshes: Meshes) -> Float[Tensor, ""]:
    """The mean length of the uniform Laplacian of the vertices.

    pytorch3d makes sparse matrices without saying whether torch is to check them, which torch warns
    about; they are right by construction.
    """
    with torch.sparse.check_sparse_tensor_invariants(False):
        return mesh_laplacian_smoothing(meshes, method="uniform")

"""The only door to pytorch3d, which has no wheels for some platforms."""

import torch
from jaxtyping import Float, Int
from torch import Tensor

try:
    from pytorch3d.loss import mesh_laplacian_smoothing, mesh_normal_consistency
    from pytorch3d.ops.marching_cubes import marching_cubes as _marching_cubes
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.structures import Meshes
except ImportError as error:
    raise ImportError(
        "headrecon needs pytorch3d here; on Linux x86_64: pip install easypytorch3d==0.7.9.post1"
    ) from error

__all__ = [
    "Meshes",
    "laplacian_smoothness",
    "marching_cubes",
    "mesh_normal_consistency",
    "rasterize_meshes",
    "topology_of",
]


def topology_of(vertices: Float[Tensor, "vertex xyz=3"], faces: Int[Tensor, "face 3"]) -> Meshes:
    """A mesh whose edges and Laplacian are known, and are those of what `update_padded` gives.

    To find them takes a seventh of a step of refinement, in which vertices move and faces do not.
    """
    meshes = Meshes(verts=[vertices], faces=[faces])
    with torch.sparse.check_sparse_tensor_invariants(False):
        meshes.laplacian_packed()
    return meshes


def laplacian_smoothness(meshes: Meshes) -> Float[Tensor, ""]:
    """The mean length of the uniform Laplacian of the vertices.

    pytorch3d makes sparse matrices without saying whether torch is to check them, which torch warns
    about; they are right by construction.
    """
    with torch.sparse.check_sparse_tensor_invariants(False):
        return mesh_laplacian_smoothing(meshes, method="uniform")


def marching_cubes(
    field: Float[Tensor, "x y z"], level: float
) -> tuple[Float[Tensor, "vertex xyz=3"], Int[Tensor, "face 3"]]:
    """The surface on which a field has a level, in units of its grid.

    pytorch3d takes the axes in the order z, y, x and gives vertices in the order x, y, z.
    """
    batch = field.permute(2, 1, 0)[None].contiguous()
    vertices, faces = _marching_cubes(batch, level, return_local_coords=False)
    if not len(vertices[0]):
        return field.new_zeros(0, 3), torch.zeros(0, 3, dtype=torch.int64)
    return vertices[0], faces[0].long()

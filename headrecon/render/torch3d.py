"""The only door to pytorch3d, which has no wheels for some platforms."""

try:
    from pytorch3d.loss import (
        mesh_edge_loss,
        mesh_laplacian_smoothing,
        mesh_normal_consistency,
    )
    from pytorch3d.renderer.mesh.rasterize_meshes import rasterize_meshes
    from pytorch3d.structures import Meshes
except ImportError as error:
    raise ImportError(
        "headrecon needs pytorch3d here; on Linux x86_64: pip install easypytorch3d==0.7.9.post1"
    ) from error

__all__ = [
    "Meshes",
    "mesh_edge_loss",
    "mesh_laplacian_smoothing",
    "mesh_normal_consistency",
    "rasterize_meshes",
]

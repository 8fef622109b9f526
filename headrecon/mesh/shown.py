"""What a photo shows of the vertices of a mesh."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.warp import inside, sample
from headrecon.render.rasterize import Scene
from headrecon.types import Camera, HeadMesh, Portrait

_CLIPPED = 0.98
_WHOLE = 0.99
"""Share of a vertex's four pixels that have to be the person's, and not clipped."""


def shown_by(
    portrait: Portrait,
    camera: Camera,
    mesh: HeadMesh,
    normals: Float[Tensor, "vertex xyz=3"],
    scene: Scene,
    grazing: float,
    tolerance: float,
) -> tuple[Float[Tensor, "vertex rgb=3"], Float[Tensor, " vertex"]]:
    """Color of each vertex, and n_z if the photo shows it, else 0.

    A vertex is shown if n_z exceeds `grazing`, and if it is no more than `tolerance` millimetres
    behind what the camera sees of the scene, which is the mesh, made ready for many photos.
    """
    xyz = project(mesh.vertices, camera)
    person = (portrait.mask > 0.5) & (portrait.image.amax(dim=0) < _CLIPPED)
    layers = torch.cat([portrait.image, person[None].to(portrait.image)])
    found = sample(layers[None], xyz[None, None, :, :2])[0, :, 0].T
    n_z = normals @ camera.view_from_head[2]
    seen = in_front(mesh.vertices, scene, camera, tolerance) & (n_z > grazing)
    seen = seen & (found[:, 3] > _WHOLE) & (inside(xyz[:, :2], *person.shape) > 0.5)
    return found[:, :3], n_z * seen


def in_front(
    vertices: Float[Tensor, "vertex xyz=3"],
    scene: Scene,
    camera: Camera,
    tolerance: float,
) -> Bool[Tensor, " vertex"]:
    """Vertices that are no more than so many millimetres behind what the camera sees of a scene."""
    fragments = scene.rasterized(camera)
    xyz = project(vertices, camera)
    column, row = xyz[:, 0].floor().long(), xyz[:, 1].floor().long()
    column, row = column.clamp(0, camera.width - 1), row.clamp(0, camera.height - 1)
    front = torch.where(fragments.mask, fragments.z, -torch.inf)[row, column]
    return xyz[:, 2] > front - tolerance * camera.scale

"""The mesh in forms that other programs show: with colors, and as a page to turn it in."""

import kornia
import numpy as np
import trimesh
from jaxtyping import UInt8
from trimesh.viewer.notebook import scene_to_html
from trimesh.visual import TextureVisuals
from trimesh.visual.material import PBRMaterial

from headrecon.types import HeadMesh

METRES = 1e-3
"""Per millimetre."""
VIEWER_LAMP = 1.75
"""How much brighter than white paper the viewer's lamp makes what faces it."""


def srgb_levels(mesh: HeadMesh) -> UInt8[np.ndarray, "vertex rgba=4"]:
    """Vertex colors encoded as sRGB in 8 bits, opaque."""
    linear = mesh.albedo.detach().cpu().clamp(0.0, 1.0).T[:, :, None]
    return _opaque(kornia.color.linear_rgb_to_rgb(linear)[..., 0].T.numpy())


def colored(mesh: HeadMesh, colors: UInt8[np.ndarray, "vertex rgba=4"]) -> trimesh.Trimesh:
    """The mesh in millimetres with these vertex colors."""
    return trimesh.Trimesh(
        mesh.vertices.detach().cpu().numpy(),
        mesh.faces.cpu().numpy(),
        vertex_colors=colors,
        process=False,
    )


def turnable_page(mesh: HeadMesh) -> str:
    """An HTML page, with all that it needs inside, in which the mesh can be turned by hand.

    Its viewer shows colors as they are, so they are encoded as sRGB, and darkened by as much as its
    lamp is too bright.
    """
    levels = srgb_levels(mesh)
    levels[:, :3] = (levels[:, :3] / VIEWER_LAMP).astype(np.uint8)
    return page_from_the_front(trimesh.Scene(_dull(mesh, levels)))


def page_from_the_front(scene: trimesh.Scene) -> str:
    """The page of a scene, as any mesh file is read to."""
    low, high = scene.bounds
    # Seen from the front, from about five times its size away.
    scene.camera_transform = trimesh.transformations.translation_matrix(
        [*((low + high)[:2] / 2), high[2] + 2.2 * (high - low).max()]
    )
    scene.camera.fov = (30.0, 30.0)
    return scene_to_html(scene)


def _dull(mesh: HeadMesh, colors: UInt8[np.ndarray, "vertex rgba=4"]) -> trimesh.Trimesh:
    """The mesh in metres, with a material that is neither metal nor shiny."""
    plain = trimesh.Trimesh(
        mesh.vertices.detach().cpu().numpy() * METRES, mesh.faces.cpu().numpy(), process=False
    )
    material = PBRMaterial(name="albedo", metallicFactor=0.0, roughnessFactor=1.0)
    plain.visual = TextureVisuals(material=material)
    plain.visual.vertex_attributes["color"] = colors
    # Normals are exported only once they have been asked for; without them faces look flat.
    _ = plain.vertex_normals
    return plain


def _opaque(colors: np.ndarray) -> UInt8[np.ndarray, "vertex rgba=4"]:
    levels = np.round(colors * 255.0).astype(np.uint8)
    return np.column_stack([levels, np.full(len(levels), 255, np.uint8)])

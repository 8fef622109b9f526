"""Which vertices of a mesh lie on its outline, as a camera sees it."""

from jaxtyping import Bool, Float, Int
from torch import Tensor

from headrecon.geometry.camera import project, sight
from headrecon.geometry.signed_distance import signed_distance
from headrecon.geometry.surface import vertex_normals
from headrecon.geometry.warp import inside, sample
from headrecon.render.rasterize import rasterize
from headrecon.types import Camera

_WIDTH = 2.5
"""Pixels within the drawn outline at which a vertex still belongs to it."""


def on_rim(
    vertices: Float[Tensor, "vertex xyz=3"],
    faces: Int[Tensor, "face 3"],
    camera: Camera,
    band: float,
) -> tuple[Bool[Tensor, " vertex"], Float[Tensor, " vertex"]]:
    """Vertices whose normal is perpendicular to the line of sight, with nothing drawn beyond them.

    `band` is the largest cosine between the two. Inner contours, as of an ear before the hair or of
    a chin before the neck, are no outlines. And all vertices' signed distances from the outline in
    pixels: that of a mask, taken at a vertex on the rim, is to be the same.
    """
    drawn = signed_distance(rasterize(vertices, faces, camera).mask).to(vertices)
    xy = project(vertices, camera)[:, :2]
    beyond = sample(drawn[None, None], xy[None, None])[0, 0, 0]
    cosine = (vertex_normals(vertices, faces) * sight(vertices, camera)).sum(dim=1)
    shown = inside(xy, camera.height - 1, camera.width - 1) > 0.5
    return (cosine.abs() < band) & (beyond > -_WIDTH) & shown, beyond

"""Pictures of a mesh in the light of photos."""

import torch
from PIL import Image

from headrecon.draw.panel import on_paper, picture, sheet
from headrecon.geometry.lighting import basis, fit_lighting
from headrecon.geometry.mean import mean_photo
from headrecon.geometry.surface import vertex_normals
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import HeadMesh, Stack


def beside_its_average(mesh: HeadMesh, stack: Stack) -> Image.Image:
    """The average photo of a view, and the mesh from the same side in the same light."""
    photo = mean_photo(stack.images)
    fragments = rasterize(mesh.vertices, mesh.faces, stack.camera)
    turned = vertex_normals(mesh.vertices, mesh.faces)
    turned = turned @ stack.camera.view_from_head.to(turned).T
    layers = interpolate(fragments, mesh.faces, torch.cat([mesh.albedo, turned], dim=1))
    seen = fragments.mask
    albedo, normals = layers[:3, seen], torch.nn.functional.normalize(layers[3:, seen], dim=0)
    weights = mean_photo(stack.masks)[seen]
    lighting = fit_lighting(photo[None][..., seen], albedo, normals, weights[None])[0]
    rendered = torch.zeros_like(photo)
    rendered[:, seen] = albedo * (lighting @ basis(normals))
    return sheet([picture(photo), picture(on_paper(rendered, seen))], [stack.label, "rendered"])

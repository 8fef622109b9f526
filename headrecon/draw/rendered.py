"""Pictures of a mesh in the light of photos."""

from collections.abc import Sequence

import torch
from PIL import Image

from headrecon.draw.panel import on_paper, picture, sheet
from headrecon.draw.residuals import beside
from headrecon.geometry.lighting import basis, fit_lighting
from headrecon.geometry.mean import mean_photo
from headrecon.geometry.surface import vertex_normals
from headrecon.render.rasterize import Scene, interpolate, rasterize
from headrecon.render.relit import grey_levels, relit
from headrecon.types import HeadMesh, Portrait, Refinement, Stack


def beside_photos(refined: Refinement, portraits: Sequence[Portrait], most: int) -> Image.Image:
    """Some photos from as different sides as there are: photo, the mesh in its light, difference.

    Cameras of mirror images come after those of the portraits. In the light that fits best all
    over, where the photo shows the person and the mesh is seen.
    """
    mesh, cameras = refined.mesh, refined.cameras[: len(portraits)]
    pairs = sorted(zip(portraits, cameras, strict=True), key=lambda pair: pair[0].azimuth)
    chosen = torch.linspace(0, len(pairs) - 1, min(most, len(pairs))).round().int().tolist()
    scene, cells, labels = Scene(mesh.vertices, mesh.faces), [], []
    for index in chosen:
        portrait, camera = pairs[index]
        seen = scene.rasterized(camera).mask
        one = portrait.image[None], portrait.mask[None], seen, None, scene
        rendered = torch.zeros_like(portrait.image)
        rendered[:, seen] = relit(mesh, camera, *one)[0]
        error = (grey_levels(portrait.image[None]) - grey_levels(rendered[None]))[0].abs()
        counted = seen & (portrait.mask > 0.5)
        cells.append(beside(portrait.image, rendered, seen, error, counted))
        labels.append(portrait.name)
    return sheet(cells, labels, columns=2)


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

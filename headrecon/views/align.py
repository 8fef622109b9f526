"""Similarity alignment of a view's photos to the fiducials that the template shows from there."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.resample import resampled
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.similarity import fit_similarity
from headrecon.geometry.surface import at, vertex_normals
from headrecon.render.head_area import head_area
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.types import REGIONS, Camera, Portrait, Stack, Template, View
from headrecon.views.turn import turning_flow

FACE = ("face", "lips")
"""Regions whose skin is smooth enough to be lit by its normals."""
_FEWEST = 20
"""Visible fiducials that fix a similarity; of a photo with fewer, hidden ones count too."""


@dataclass(frozen=True)
class Align:
    """Stage: the photos of a view on one canvas, where the template's fiducials would be seen.

    Each photo is moved by the similarity that brings its fiducials onto those of the template,
    turned to the azimuth and elevation of the view's average photo. A similarity keeps the person's
    own proportions. Only fiducials that the photo shows take part, by how much the template turns
    them to the viewer. What turning the head by the rest of the way moves is left to flow, which
    begins with what the template says about it.
    """

    size: int
    """Side of the canvas in pixels."""
    pixels_per_mm: float
    distance: float | None
    """Millimetres from which photos were taken, on average; none for weak perspective."""
    head_height: float
    """Where the origin of the head frame lies on the canvas, as a share of its height."""
    jaw: float
    """Millimetres below the ear canals down to which hair may hang anywhere."""
    neck: float
    """Millimetres below the ear canals that still belong to the head."""
    turn_smoothing: float
    """Pixels over which the flow of the turned template is smoothed beyond its outline."""
    collar: float
    """How much wider than the template's the neck may be, in millimetres."""

    def __call__(self, view: View, portraits: tuple[Portrait, ...], template: Template) -> Stack:
        """Align the members of the view."""
        camera = self.camera(view, template.vertices)
        marks = at(template.fiducials, template.faces, template.vertices)
        positions, facing = project(marks, camera)[:, :2], _facing(template, camera)

        images, masks, fiducials, backward = [], [], [], []
        rotations = [view_from_head(p.azimuth, p.elevation) for p in portraits]
        for portrait in portraits:
            weights = facing * portrait.visible
            shown = weights if int((weights > 0).sum()) >= _FEWEST else facing
            matrix, translation = fit_similarity(portrait.fiducials, positions, shown)
            image, mask = resampled(portrait, matrix, translation, camera)
            images.append(image.half())
            masks.append(mask.half())
            fiducials.append(portrait.fiducials @ matrix.T + translation)
            inverse = torch.linalg.inv(matrix)
            backward.append(torch.column_stack([inverse, -inverse @ translation]))
        marked = torch.stack(fiducials)
        flows = turning_flow(
            *(template, camera, rotations, marked),
            torch.stack([portrait.visible for portrait in portraits]).to(marked),
            self.turn_smoothing,
        )
        silhouette = rasterize(template.vertices, template.faces, camera).mask
        allowed = head_area(silhouette, camera, self.jaw, self.neck, self.collar).to(images[0])
        return Stack(
            label=view.label,
            camera=camera,
            names=tuple(p.name for p in portraits),
            images=torch.stack(images),
            masks=torch.stack(masks) * allowed.to(masks[0]),
            flows=flows.half(),
            belief=torch.ones(len(images)).to(marked),
            motion=torch.zeros(0),
            portrait_from_canvas=torch.stack(backward),
            fiducials=marked.median(dim=0).values,
            face=face_mask(template, camera),
        )

    def camera(self, view: View, like: Float[Tensor, "vertex xyz=3"]) -> Camera:
        """The canvas's camera, turned to the view's average photo."""
        return Camera(
            view_from_head=view_from_head(view.azimuth, view.elevation).to(like),
            scale=self.pixels_per_mm,
            origin=like.new_tensor([self.size / 2.0, self.size * self.head_height]),
            height=self.size,
            width=self.size,
            nearness=1.0 / self.distance if self.distance else 0.0,
        )


def _facing(template: Template, camera: Camera) -> Float[Tensor, " fiducial"]:
    """n_z of the template at its fiducials, 0 where they are turned away from the viewer."""
    normals = vertex_normals(template.vertices, template.faces)
    n_z = at(template.fiducials, template.faces, normals) @ camera.view_from_head[2]
    return n_z.clamp_min(0.0)


def face_mask(template: Template, camera: Camera) -> Bool[Tensor, "h w"]:
    """Where the template's face, without its eyes, looks at the viewer well enough to shade it."""
    fragments = rasterize(template.vertices, template.faces, camera)
    chosen = torch.stack([template.region == REGIONS.index(name) for name in FACE]).any(dim=0)
    normals = vertex_normals(template.vertices, template.faces)
    values = torch.cat([chosen[:, None].to(normals), normals @ camera.view_from_head[2:].T], dim=1)
    share, n_z = interpolate(fragments, template.faces, values)
    return (share > 0.5) & (n_z > 0.3)

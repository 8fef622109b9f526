"""How well a mesh renders into a photo, above all one that it was not made from."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt
from torch import Tensor

from headrecon.geometry.camera import project
from headrecon.geometry.color import off_color
from headrecon.geometry.lighting import basis, fit_columns
from headrecon.geometry.similarity import fit_similarity
from headrecon.geometry.surface import at, nearest_points, vertex_normals
from headrecon.ibug68 import INNER, INNER_FROM_MESH
from headrecon.render.head_area import head_area
from headrecon.render.interreflection import lacking
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import Scene, interpolate
from headrecon.render.relit import grey_levels
from headrecon.types import REGIONS, Camera, HeadMesh, Portrait, Template

PARTS = ("face", "ears", "neck", "hair")
"""What errors are told of separately; hair is where the mean head shows no skin."""
_OF_REGION = {"face": 0, "lips": 0, "eyes": 0, "ears": 1, "neck": 2, "scalp": 3}
_FEWEST = 30
"""Pixels of a part below which nothing is said of it."""


@dataclass(frozen=True)
class Ends:
    """Where a head ends in a photo."""

    jaw: float
    """Millimetres below the ear canals, anywhere."""
    neck: float
    """The same, near the neck."""
    collar: float
    """Millimetres by which a neck may be wider than the template's."""
    skin: float
    """Standard deviations from the color of a photo's face beyond which its neck is clothes."""


@dataclass(frozen=True)
class Sitting:
    """A photo, and what of it has to be explained: the same for whatever is to explain it."""

    portrait: Portrait
    area: Bool[Tensor, "h w"]
    """Where a head could be, shoulders left out, and a camera saw something."""
    head: Bool[Tensor, "h w"]
    """Where the head is; a collar is none of it."""
    part: Int[Tensor, "h w"]
    """Index into `PARTS`."""
    scale: float
    """Pixels per millimetre of the template, in which outlines of all heads are compared."""


@dataclass(frozen=True)
class Judgement:
    """A mesh beside a photo."""

    numbers: dict[str, float]
    """Grey levels by part and for all of the head, and how outlines and fiducials fit."""
    rendered: Float[Tensor, "rgb=3 h w"]
    """In the light of the photo; 0 where there is no mesh."""
    seen: Bool[Tensor, "h w"]
    """Where there is."""
    error: Float[Tensor, "h w"]
    """Grey levels, 0 outside of the head."""


def sitting(
    portrait: Portrait,
    camera: Camera,
    template: Template,
    ends: Ends,
    scene: Scene | None = None,
) -> Sitting:
    """Where a photo shows the head, and which part of it, by a camera that sees the template.

    Of the neck only what has the color of the photo's face counts: clothes are not to be explained
    by a head. For many photos, `scene` is the template, made ready for rays once.
    """
    fragments = (scene or Scene(template.vertices, template.faces)).rasterized(camera)
    # Each pixel belongs to the corner of its triangle that it is nearest to.
    nearest = template.faces[fragments.face.clamp_min(0)].gather(
        -1, fragments.barycentric.argmax(dim=-1, keepdim=True)
    )[..., 0]
    part_of = torch.tensor([_OF_REGION[name] for name in REGIONS]).to(template.region)
    part = part_of[template.region[nearest]]
    below = ~head_area(fragments.mask, camera, ends.jaw, 0.0, 0.0)
    beside = torch.where(below, PARTS.index("neck"), PARTS.index("hair"))
    part = torch.where(fragments.mask, part, beside.to(part))
    area = head_area(fragments.mask, camera, ends.jaw, ends.neck, ends.collar)
    area = area & (portrait.image.amax(dim=0) > 0.0)
    head = (portrait.mask > 0.5) & area
    on_face = head & (part == PARTS.index("face"))
    off = off_color(portrait.image.flatten(1), on_face.flatten()).reshape(part.shape)
    clothes = (part == PARTS.index("neck")) & (off > ends.skin)
    return Sitting(
        portrait=portrait,
        area=area & ~clothes,
        head=head & ~clothes,
        part=part,
        scale=camera.scale,
    )


def judge(
    mesh: HeadMesh,
    occlusion: Occlusion,
    camera: Camera,
    photo: Sitting,
    scene: Scene | None = None,
    lit_by: Sequence[str] = ("face",),
) -> Judgement:
    """Render a mesh into a photo and compare.

    Light (first-order harmonics, three channels) is fitted on some of `PARTS` and has to do for the
    others, less what the mesh itself keeps off. Where the mesh shows nothing, its rendering is
    black. Nothing is said of a photo that shows next to nothing of these parts. For many photos,
    `scene` is the mesh, made ready for rays once.
    """
    portrait = photo.portrait
    fragments = (scene or Scene(mesh.vertices, mesh.faces)).rasterized(camera)
    normals = vertex_normals(mesh.vertices, mesh.faces) @ camera.view_from_head.T
    hidden = lacking(occlusion, camera.view_from_head, 4)
    layers = interpolate(fragments, mesh.faces, torch.cat([mesh.albedo, normals, hidden], dim=1))
    seen = fragments.mask
    albedo, unit = layers[:3, seen], torch.nn.functional.normalize(layers[3:6, seen], dim=0)
    columns = albedo[:, None] * (basis(unit) - layers[6:, seen])
    telling = photo.part.new_tensor([PARTS.index(name) for name in lit_by])
    lit = (photo.head & torch.isin(photo.part, telling))[seen]
    weights = (lit & (portrait.image[:, seen].amax(dim=0) < 0.98)).to(albedo)
    lighting = fit_columns(portrait.image[None][..., seen], columns, weights[None])[0]
    rendered = torch.zeros_like(portrait.image)
    rendered[:, seen] = torch.einsum("ck,ckj->cj", lighting, columns).clamp(0.0, 1.0)
    off = (grey_levels(portrait.image[None]) - grey_levels(rendered[None]))[0].abs()

    told = photo.head & (float(weights.sum()) >= _FEWEST)
    numbers = {"head_grey_levels": _mean(off[told])}
    for index, name in enumerate(PARTS):
        numbers[f"{name}_grey_levels"] = _mean(off[told & (photo.part == index)])
    shown = seen & photo.area
    both, either = int((shown & photo.head).sum()), int((shown | photo.head).sum())
    numbers["outline_iou_share"] = both / max(either, 1)
    numbers["outline_distance_mm"] = _apart(shown, photo.head, photo.area) / photo.scale
    numbers["fiducials_of_face_share"] = _fiducials(mesh, camera, portrait)
    return Judgement(numbers, rendered, seen, off * photo.head)


def laid_on(mesh: HeadMesh, other: HeadMesh) -> HeadMesh:
    """A mesh, moved, turned and scaled so that its landmarks lie on those of another."""
    ones = torch.ones(51).to(mesh.landmarks)
    matrix, shift = fit_similarity(mesh.landmarks[INNER], other.landmarks[INNER], ones)
    return replace(
        mesh,
        vertices=mesh.vertices @ matrix.T + shift,
        landmarks=mesh.landmarks @ matrix.T + shift,
    )


def painted_like(mesh: HeadMesh, other: HeadMesh) -> HeadMesh:
    """A mesh with the albedo of the nearest points of another, their landmarks laid on each other.

    So that shapes are compared and not paints.
    """
    points = nearest_points(laid_on(mesh, other).vertices, other.vertices, other.faces)
    return replace(mesh, albedo=at(points, other.faces, other.albedo))


def _fiducials(mesh: HeadMesh, camera: Camera, portrait: Portrait) -> float:
    """Mean distance of the visible landmarks from the photo's fiducials, in sides of its face."""
    chosen = list(INNER_FROM_MESH)
    off = project(mesh.landmarks[INNER], camera)[:, :2] - portrait.fiducials[chosen]
    visible = portrait.visible[chosen]
    side = portrait.face_size / portrait.step
    return float(off[visible].norm(dim=1).mean()) / side if bool(visible.any()) else float("nan")


def _apart(
    one: Bool[Tensor, "h w"], other: Bool[Tensor, "h w"], area: Bool[Tensor, "h w"]
) -> float:
    """Mean distance in pixels between two outlines, both ways, where neither is cut off."""
    inner = binary_erosion(area.cpu().numpy(), iterations=2)
    rims = [_rim(mask.cpu().numpy()) & inner for mask in (one, other)]
    if not (rims[0].any() and rims[1].any()):
        return float("nan")
    there, back = (np.asarray(distance_transform_edt(~rim)) for rim in rims[::-1])
    return 0.5 * float(there[rims[0]].mean() + back[rims[1]].mean())


def _rim(mask: Bool[np.ndarray, "h w"]) -> Bool[np.ndarray, "h w"]:
    return mask & binary_dilation(~mask)


def _mean(values: Float[Tensor, " pixel"]) -> float:
    return float(values.mean()) if len(values) >= _FEWEST else float("nan")

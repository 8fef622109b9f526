"""Which photos refinement looks at, and those it keeps aside, to be judged by."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.geometry.surface import vertex_normals
from headrecon.geometry.symmetry import MIRRORED
from headrecon.mesh.photometric import CLIPPED, LEAST_TURNED
from headrecon.mesh.shot import Shot
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import Scene, interpolate
from headrecon.render.relit import relit_errors
from headrecon.types import HeadMesh


def takes_part(names: Sequence[str], aside: int) -> Bool[Tensor, " photo"]:
    """Which of the photos are descended on: all but one in so many; all for 0.

    A mirror image takes part if its photo does.
    """
    photos = [name.removesuffix(MIRRORED) for name in names]
    place = {name: index for index, name in enumerate(dict.fromkeys(photos))}
    index = torch.tensor([place[name] for name in photos], dtype=torch.int64)
    return index % aside != aside - 1 if aside else index >= 0


def in_turns(those: Sequence[int], size: int, generator: torch.Generator) -> Iterator[list[int]]:
    """So many of them at a time, without end, each as often as the others, in random order."""
    waiting: list[int] = []
    while those:
        while len(waiting) < size:
            order = torch.randperm(len(those), generator=generator)
            waiting += [those[index] for index in order.tolist()]
        yield waiting[:size]
        waiting = waiting[size:]


def skin_areas(
    mesh: HeadMesh, shots: Sequence[Shot], counted: Float[Tensor, " vertex"]
) -> list[Bool[Tensor, "_ _"]]:
    """Pixels in which photos are to show what is counted of a mesh, and are not clipped."""
    normals, scene = vertex_normals(mesh.vertices, mesh.faces), Scene(mesh.vertices, mesh.faces)
    areas = []
    for shot in shots:
        n_z = normals @ shot.camera.view_from_head[2].to(normals)
        fragments = scene.rasterized(shot.camera)
        layers = interpolate(fragments, mesh.faces, torch.stack([counted, n_z], dim=1))
        shown = (shot.mask > 0.5) & (shot.image.amax(dim=0) < CLIPPED)
        areas.append(shown & (layers[0] > 0.5) & (layers[1] > LEAST_TURNED))
    return areas


def grey_levels_off(
    mesh: HeadMesh,
    hidden: Occlusion,
    shots: Sequence[Shot],
    areas: Sequence[Bool[Tensor, "_ _"]],
) -> float:
    """Mean |photo - render| over an area of each photo, all photos alike; NaN without any.

    The light is the best one there, less what the mesh keeps off. Where the mesh shows nothing, its
    rendering is black.
    """
    scene, means = Scene(mesh.vertices, mesh.faces), []
    for shot, area in zip(shots, areas, strict=True):
        if bool(area.any()):
            seen = shot.camera, shot.image[None], shot.mask[None], area, hidden, scene
            means.append(float(relit_errors(mesh, *seen).mean()))
    return sum(means) / len(means) if means else float("nan")


@dataclass(frozen=True)
class Jury:
    """Photos that meshes are judged by, and the pixels in which they are."""

    shots: dict[int, Shot]
    """By the number of the photo."""
    areas: dict[int, Bool[Tensor, "_ _"]]

    @classmethod
    def of(
        cls, mesh: HeadMesh, shots: dict[int, Shot], counted: Float[Tensor, " vertex"]
    ) -> "Jury":
        """Judge where these photos show what is counted of a mesh."""
        areas = skin_areas(mesh, list(shots.values()), counted)
        return cls(shots, dict(zip(shots, areas, strict=True)))

    def errors(
        self,
        mesh: HeadMesh,
        moves: Float[Tensor, "photo move=6"],
        which: Sequence[Sequence[int]],
    ) -> list[float]:
        """Grey levels by which a mesh is off each of some groups of photos, their cameras moved."""
        hidden = Occlusion.of(mesh.vertices, mesh.faces)
        return [
            grey_levels_off(
                *(mesh, hidden, [self.shots[index].nudged(moves[index]) for index in those]),
                [self.areas[index] for index in those],
            )
            for those in which
        ]

"""Marks the detectors' fiducials on the template, by showing them pictures of heads.

    python -m headrecon.template.embed

writes `fiducials.json` beside this file; needed again only when the head model changes.
"""

import json
import logging
import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
import trimesh
from jaxtyping import Float
from scipy.optimize import linear_sum_assignment
from torch import Tensor

from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import vertex_normals
from headrecon.photos.find import FindFace, detect_fiducials
from headrecon.render.rasterize import Fragments, interpolate, rasterize
from headrecon.template.model import HeadModel, head_model
from headrecon.template.skin import Complexion, Places, paint, vertex_marks
from headrecon.types import Camera, Rejection

_log = logging.getLogger(__name__)

FILE = Path(__file__).with_name("fiducials.json")

_FIND = FindFace(
    min_score=0.3, good_score=0.7, overlap=0.3, finest=400.0, focus=2.5, rival=1.0, most=1
)
_SIDE, _SCALE = 560, 1.8
_AZIMUTHS = (0.0, -10.0, 10.0, -20.0, 20.0, -30.0, 30.0)
_SIDE_AZIMUTHS = (50.0, 65.0, 80.0)
_LAMPS = ((0.3, 0.5, 0.8), (-0.3, 0.3, 0.9))
_PEOPLE = 6
_HALF_WIDTH = 72.0
"""Of the average head in front of the ears, in millimetres."""
_SKINS = ((0.55, 0.34, 0.25), (0.4, 0.23, 0.16), (0.2, 0.11, 0.07))


@dataclass(frozen=True)
class _Marks:
    """Where points were seen on a head, given as places on the average head, and how well."""

    azimuth: float
    places: Float[Tensor, "point xyz=3"]
    weights: Float[Tensor, " point"]
    """How far the surface faced the viewer; 0 where the point missed the head."""


def main() -> None:
    """Embed both sets of points and write the file."""
    logging.basicConfig(level=logging.INFO)
    model = head_model()
    front, left, right = [], [], []
    for person in range(_PEOPLE):
        identity = model.random_identity(person) * (0.0 if person == 0 else 0.7)
        head = model.heads(identity, torch.zeros(len(model.actions)))
        for lamp in _LAMPS:
            skin = _SKINS[person % len(_SKINS)]
            front += [_look(model, head, skin, azimuth, lamp) for azimuth in _AZIMUTHS]
            left += [_look(model, head, skin, azimuth, lamp) for azimuth in _SIDE_AZIMUTHS]
            right += [_look(model, head, skin, -azimuth, lamp) for azimuth in _SIDE_AZIMUTHS]
    seen = [marks for marks in front if marks is not None]
    _log.info("%d of %d faces found", len(seen), len(front))
    fiducials = _symmetric(_median(_near_side([marks[0] for marks in seen])))
    # With the nose to the image right, the ear that is seen is the one to the image left.
    tragions = [
        _median([marks[1] for marks in side if marks is not None])[which]
        for side, which in ((left, 4), (right, 5))
    ]
    keypoints = torch.cat(
        [_median(_near_side([marks[1] for marks in seen]))[:4], torch.stack(tragions)]
    )
    content = {
        "fiducials": _surface_points(model, fiducials),
        "keypoints": _surface_points(model, _symmetric(keypoints)),
    }
    FILE.write_text(json.dumps(content, separators=(",", ":")) + "\n")


def _look(
    model: HeadModel,
    head: Float[Tensor, "vertex xyz=3"],
    skin: tuple[float, float, float],
    azimuth: float,
    lamp: tuple[float, float, float],
) -> tuple[_Marks, _Marks] | None:
    """The fiducials and key points that are found in one picture."""
    middle = torch.tensor([_SIDE / 2, _SIDE / 2])
    camera = Camera(view_from_head(azimuth), _SCALE, middle, _SIDE, _SIDE)
    fragments = rasterize(head, model.faces, camera)
    normals = vertex_normals(head, model.faces) @ camera.view_from_head.T
    seen = torch.nn.functional.normalize(interpolate(fragments, model.faces, normals), dim=0)
    image = _picture(model, fragments, seen, skin, lamp)
    found = detect_fiducials(image, _FIND)
    if isinstance(found, Rejection):
        return None
    face, mesh = found
    places = interpolate(fragments, model.faces, model.mean)
    facing = seen[2].clamp(min=0.0) * fragments.mask
    return (
        _read(azimuth, mesh.points[:, :2], places, facing),
        _read(azimuth, face.keypoints, places, facing),
    )


def _picture(
    model: HeadModel,
    fragments: Fragments,
    normals: Float[Tensor, "3 h w"],
    skin: tuple[float, float, float],
    lamp: tuple[float, float, float],
) -> Float[Tensor, "rgb=3 h w"]:
    """A matt head under one lamp before a grey wall."""
    look = Complexion(
        skin=skin,
        lips=(0.75 * skin[0], 0.45 * skin[1], 0.5 * skin[2]),
        hair=(0.04, 0.025, 0.018),
        iris=(0.1, 0.06, 0.04),
        brow=0.85,
        stubble=0.0,
        freckles=0.0,
        blotches=0.03,
        scalp=1.0,
        gaze=(0.0, 0.0),
        seed=0,
    )
    marks = torch.from_numpy(vertex_marks(model)).float()
    point = interpolate(fragments, model.faces, marks)[:, fragments.mask].T.double().numpy()
    albedo = paint(Places(point[:, :3], point[:, 3], point[:, 4]), model, look)
    light = torch.tensor(lamp)[:, None, None]
    shading = 0.5 + 0.8 * (normals * light).sum(dim=0).clamp(min=0.0)
    image = torch.full((3, *fragments.face.shape), 0.25)
    image[:, fragments.mask] = torch.from_numpy(albedo.T).float() * shading[fragments.mask]
    return image.clamp(0.0, 1.0)


def _read(
    azimuth: float,
    xy: Float[Tensor, "point xy=2"],
    places: Float[Tensor, "xyz=3 h w"],
    facing: Float[Tensor, "h w"],
) -> _Marks:
    """Places and weights at the pixels of points."""
    column, row = xy.floor().long().clamp(0, _SIDE - 1).unbind(-1)
    return _Marks(azimuth, places[:, row, column].T, facing[row, column])


def _near_side(marks: list[_Marks]) -> list[_Marks]:
    """The same points, believed as far as their side of the head is turned to the viewer.

    A point that has gone behind the far outline is still drawn, on the outline, which is another
    place. The head is taken for a cylinder, and the frontal pictures say how far round a point is.
    """
    frontal = _median([mark for mark in marks if mark.azimuth == 0.0])
    round_rad = torch.asin((frontal[:, 0] / _HALF_WIDTH).clamp(-1.0, 1.0))
    return [
        replace(
            mark,
            weights=mark.weights * torch.cos(round_rad + math.radians(mark.azimuth)).clamp(min=0.0),
        )
        for mark in marks
    ]


def _median(marks: list[_Marks]) -> Float[Tensor, "point xyz=3"]:
    """Middle of the places, each weighted with how well it was seen."""
    places = torch.stack([mark.places for mark in marks])
    weights = torch.stack([mark.weights for mark in marks]).clamp(min=1e-4) ** 2
    ordered, order = places.sort(dim=0)
    share = weights[..., None].expand_as(places).gather(0, order).cumsum(dim=0)
    middle = (share >= share[-1] / 2).int().argmax(dim=0, keepdim=True)
    return ordered.gather(0, middle)[0]


def _symmetric(points: Float[Tensor, "point xyz=3"]) -> Float[Tensor, "point xyz=3"]:
    """Points averaged with the mirror image of their partners on the other side.

    Near the middle the first choice of partners need not be mutual; repeating it on points that are
    already almost symmetric makes it so.
    """
    for _ in range(4):
        mirrored = points * torch.tensor([-1.0, 1.0, 1.0])
        distance = torch.cdist(points, mirrored, compute_mode="donot_use_mm_for_euclid_dist")
        _, partner = linear_sum_assignment(distance.square().numpy())
        points = (points + mirrored[torch.from_numpy(partner)]) / 2
    return points


def _surface_points(model: HeadModel, points: Float[Tensor, "point xyz=3"]) -> dict[str, list]:
    """The nearest points of the average head, as faces and barycentrics."""
    triangles = model.mean[model.faces].double().numpy()
    faces, nearest = [], []
    for point in points.double().numpy():
        close = trimesh.triangles.closest_point(triangles, np.tile(point, (len(triangles), 1)))
        faces.append(int(np.linalg.norm(close - point, axis=1).argmin()))
        nearest.append(close[faces[-1]])
    distance = np.linalg.norm(np.array(nearest) - points.numpy(), axis=1)
    _log.info("moved to the surface by %.2f mm on average", distance.mean())
    barycentric = trimesh.triangles.points_to_barycentric(triangles[faces], np.array(nearest))
    return {"face": faces, "barycentric": barycentric.clip(0, 1).round(4).tolist()}


if __name__ == "__main__":
    main()

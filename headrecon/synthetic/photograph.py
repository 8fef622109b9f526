"""Photographs of a person, as they could have been found."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from headrecon.geometry.camera import project_through
from headrecon.geometry.surface import at
from headrecon.synthetic.banner import banner
from headrecon.synthetic.camera import lens_for
from headrecon.synthetic.chance import Taking
from headrecon.synthetic.develop import Develop
from headrecon.synthetic.light import Light
from headrecon.synthetic.people import bystander, sitting
from headrecon.synthetic.picture import Picture, nothing, take
from headrecon.synthetic.scenery import scenery
from headrecon.synthetic.staging import Scene
from headrecon.synthetic.subject import Population
from headrecon.template.build import BuildTemplate
from headrecon.truth import LABELS, Lens


@dataclass(frozen=True)
class Shot:
    """A photo, and what a found photo does not tell."""

    encoded: UInt8[np.ndarray, " byte"]
    """The JPEG file."""
    lens: Lens
    picture: Picture
    fiducials: Tensor
    """468 points in pixels."""
    visible: Bool[Tensor, " fiducial=468"]
    seen: Bool[Tensor, " vertex"]
    """Vertices of the subject's surface, hair included, that the photo shows."""
    development: dict[str, Any]
    """What the camera did to the light."""


@dataclass(frozen=True)
class Photograph:
    """From all that a photo depends on to the photo."""

    population: Population
    develop: Develop

    def __call__(self, taking: Taking) -> Shot:
        """Take the photo."""
        random = np.random.default_rng(taking.seed)
        lens = lens_for(taking.pose, taking.framing)
        image = scenery(lens.height, lens.width, random)
        picture = nothing(lens)
        scene = self._scene(taking, lens, random)
        if scene.placed:
            picture = take(scene, taking.light, lens, random)
            # Pixels along an outline show a little of both sides.
            share = gaussian_filter(picture.covered.astype(float), 0.6) * picture.covered
            level = _level(taking.light, random)
            image = share[..., None] * picture.image + (1 - share[..., None]) * level * image
        subject = picture.labels > 0
        developed = self.develop(image, subject if subject.any() else ~subject, random)
        encoded = developed.encoded
        if taking.banner:
            encoded = _with_banner(encoded, picture.labels, random)
        fiducials, visible, seen = _points(scene, lens, picture.labels)
        return Shot(encoded, lens, picture, fiducials, visible, seen, developed.record)

    def _scene(self, taking: Taking, lens: Lens, random: np.random.Generator) -> Scene:
        """The person, and who else is there."""
        placed = ()
        if taking.identity >= 0:
            placed = sitting(taking, self.population, random)
        if taking.bystander >= 0:
            placed += bystander(taking.bystander, self.population, lens, random)
        return Scene(placed)


def _level(light: Light, random: np.random.Generator) -> float:
    """How bright the place is in the light of the person, who may stand nearer to the lamps."""
    return float(np.mean(light.ambient)) * random.uniform(0.7, 2.5)


def _points(
    scene: Scene, lens: Lens, labels: UInt8[np.ndarray, "h w"]
) -> tuple[Tensor, Tensor, Tensor]:
    """Fiducials in pixels, whether they are visible, and the vertices that are."""
    main = [one for one in scene.placed if one.main]
    if not main:
        none = torch.zeros(468)
        return torch.zeros(468, 2), none.bool(), none[:0].bool()
    head, count = main[0].part, sum(len(one.part.vertices) for one in main)
    marks = BuildTemplate(size=1.0, people=2)().fiducials
    vertices, normals = torch.from_numpy(scene.vertices), torch.from_numpy(scene.normals)
    places = torch.cat(
        [at(marks, head.faces, vertices), vertices[:count]],
    )
    directions = torch.cat([at(marks, head.faces, normals), normals[:count]])
    xy = project_through(places, lens)[:, :2]
    row, column = xy[:, 1].long(), xy[:, 0].long()
    inside = (xy > 0).all(1) & (row < lens.height) & (column < lens.width)
    shown = inside.clone()
    shown[inside] = torch.from_numpy(labels[row[inside], column[inside]] > 0)
    shown &= torch.from_numpy(scene.shows(places.numpy(), directions.numpy(), lens))
    return xy[:468].float(), shown[:468], shown[468:]


def _with_banner(
    encoded: UInt8[np.ndarray, " byte"],
    labels: UInt8[np.ndarray, "h w"],
    random: np.random.Generator,
) -> UInt8[np.ndarray, " published"]:
    """The photo as it was published; what the banner covers is marked as hidden."""
    with Image.open(io.BytesIO(encoded.tobytes())) as opened:
        picture, covered = banner(np.array(opened.convert("RGB")), random)
    labels[covered & (labels > 0)] = LABELS.index("occluder")
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=int(random.integers(60, 93)))
    return np.frombuffer(file.getvalue(), np.uint8).copy()

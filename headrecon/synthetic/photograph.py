"""Photographs of a subject, as they could have been found."""

import io
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from PIL import Image
from scipy.ndimage import gaussian_filter
from torch import Tensor

from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import vertex_normals
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.synthetic.chance import Light, Pose, draw_expression, draw_light, draw_pose
from headrecon.synthetic.clothes import shoulders
from headrecon.synthetic.scenery import scenery
from headrecon.synthetic.subject import Subject
from headrecon.template.skin import Places, paint, vertex_marks
from headrecon.types import Camera, Photo

_HEAD = 225.0
"""Millimetres from chin to crown."""


@dataclass(frozen=True)
class Shot:
    """A photo, and what a found photo does not tell."""

    photo: Photo
    pose: Pose
    camera: Camera
    mask: Bool[Tensor, "h w"]
    """Where the person is."""


@dataclass(frozen=True)
class Photograph:
    """Stage: one of the photos of a subject, with pose, face, light, place and camera of its own.

    Each photo depends on `seed` and its own index alone, so that more photos can be taken later.
    """

    seed: int
    min_side: int
    max_side: int
    """Bounds of the photo's longer side in pixels."""
    min_share: float
    max_share: float
    """Bounds of the share of the photo's height that the head takes."""
    off_centre: float
    """How far the head is from the middle at most, in sides of the photo."""
    mildness: float
    """Strength of expressions; 0 keeps the face neutral."""
    noise: float
    """Standard deviation of the sensor's noise at most, in linear light."""

    def __call__(self, subject: Subject, index: int) -> Shot:
        """Take the photo."""
        random = np.random.default_rng([self.seed, index])
        pose = draw_pose(index, random)
        camera = self._camera(pose, random)
        actions = subject.model.actions
        expression = torch.from_numpy(draw_expression(actions, self.mildness, random)).float()
        linear, mask = _develop(subject, expression, camera, draw_light(random), random)
        encoded = _expose(linear, mask, self.noise * random.uniform(0.2, 1.0), random)
        photo = Photo(f"photo_{index:04d}.jpg", torch.from_numpy(encoded))
        return Shot(photo, pose, camera, torch.from_numpy(mask))

    def _camera(self, pose: Pose, random: np.random.Generator) -> Camera:
        """A canvas of random size and shape with the head about in its middle."""
        height = int(random.integers(self.min_side, self.max_side + 1))
        width = int(np.clip(height * random.uniform(0.75, 1.1), self.min_side, self.max_side))
        share = random.uniform(self.min_share, self.max_share)
        shift = random.uniform(-self.off_centre, self.off_centre, 2)
        rotation = view_from_head(pose.azimuth, pose.elevation, pose.roll)
        scale = share * min(height, 1.15 * width) / _HEAD
        # The middle of the head lies in front of and above the ear canals.
        middle = rotation @ torch.tensor([0.0, 20.0, 20.0]) * scale
        origin = torch.tensor([width * (0.5 + shift[0]), height * (0.5 + shift[1])]).float()
        origin = origin + torch.stack([-middle[0], middle[1]])
        return Camera(rotation, float(scale), origin, height, width)


def _develop(
    subject: Subject,
    expression: Float[Tensor, " action"],
    camera: Camera,
    light: Light,
    random: np.random.Generator,
) -> tuple[Float[np.ndarray, "h w rgb=3"], Bool[np.ndarray, "h w"]]:
    """The scene in linear light, and where the person is."""
    head = subject.with_expression(expression)
    cloth, cloth_faces = shoulders(head[subject.rim])
    faces = torch.cat([subject.faces, cloth_faces + len(head)])
    normals = torch.cat([vertex_normals(head, subject.faces), vertex_normals(cloth, cloth_faces)])
    marks = torch.from_numpy(vertex_marks(subject.model)).float()
    layers = torch.cat([marks, subject.openness[:, None]], dim=1)
    layers = torch.cat([layers, torch.ones(len(cloth), layers.shape[1])])
    layers = torch.cat([layers, normals @ camera.view_from_head.T], dim=1)
    fragments = rasterize(torch.cat([head, cloth]), faces, camera)
    mask = fragments.mask
    point = interpolate(fragments, faces, layers)[:, mask].T.double().numpy()
    dressed = (fragments.face[mask] >= len(subject.faces)).numpy()
    albedo = np.empty((len(point), 3))
    albedo[dressed] = random.uniform(0.03, 0.45) * random.uniform(0.6, 1.4, 3)
    bare = point[~dressed]
    albedo[~dressed] = paint(
        Places(bare[:, :3], bare[:, 3], bare[:, 4]), subject.model, subject.look
    )
    image = scenery(camera.height, camera.width, random)
    image[mask.numpy()] = albedo * _irradiance(light, point[:, 6:], point[:, 5])
    return image, mask.numpy()


def _irradiance(
    light: Light, normals: Float[np.ndarray, "point xyz=3"], openness: Float[np.ndarray, " point"]
) -> Float[np.ndarray, "point rgb=3"]:
    """Light that reaches each point; the lamp is switched off where the surface turns away."""
    n = normals / np.linalg.norm(normals, axis=1, keepdims=True).clip(1e-9)
    ambient = openness * (1.0 + n @ light.gradient).clip(0.0)
    lamp = (n @ light.direction).clip(0.0)
    return ambient[:, None] * light.ambient + lamp[:, None] * light.lamp


def _expose(
    linear: Float[np.ndarray, "h w rgb=3"],
    mask: Bool[np.ndarray, "h w"],
    noise: float,
    random: np.random.Generator,
) -> UInt8[np.ndarray, " byte"]:
    """The bytes of the JPEG that a camera makes of the scene."""
    gain = random.uniform(0.14, 0.3) / linear[mask].mean() * random.uniform(0.95, 1.05, 3)
    blur = random.uniform(0.4, 0.8)
    sensor = gaussian_filter(linear * gain, (blur, blur, 0))
    sensor = (sensor + noise * random.standard_normal(sensor.shape)).clip(0.0, 1.0)
    coded = np.where(sensor <= 0.0031308, 12.92 * sensor, 1.055 * sensor ** (1 / 2.4) - 0.055)
    file = io.BytesIO()
    picture = Image.fromarray((255.0 * coded + 0.5).astype(np.uint8))
    picture.save(file, "JPEG", quality=int(random.integers(75, 96)))
    return np.frombuffer(file.getvalue(), np.uint8).copy()

"""Worse fiducials than those that the detector finds."""

import hashlib
from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from headrecon.photos.detect import Detect
from headrecon.types import Photo, Portrait, Rejection, Sighting, Template


@dataclass(frozen=True)
class NoisyDetect:
    """Stage: detection whose fiducials and key points are moved by chance, to see what it costs."""

    on_cpu: ClassVar = True
    detect: Detect
    noise: float
    """Standard deviation in sides of the face's box."""

    def __call__(self, photo: Photo, template: Template) -> Sighting | Rejection:
        """Look at one photo; the noise depends on its name alone."""
        found = self.detect(photo, template)
        if isinstance(found, Rejection):
            return found
        return Sighting(found.name, tuple(map(self._disturbed, found.portraits)))

    def _disturbed(self, found: Portrait) -> Portrait:
        seed = int.from_bytes(hashlib.sha256(found.name.encode()).digest()[:4], "big")
        generator = torch.Generator().manual_seed(seed)
        spread = self.noise * found.face_size / found.step
        moved = {
            name: points + spread * torch.randn(points.shape, generator=generator).to(points)
            for name, points in (("fiducials", found.fiducials), ("keypoints", found.keypoints))
        }
        return replace(found, **moved)

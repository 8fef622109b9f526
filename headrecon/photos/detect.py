"""From a photo to what the detectors see in it."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.photos.decode import decode
from headrecon.photos.faces import Face
from headrecon.photos.find import FindFace, steady_mesh
from headrecon.photos.identity import Recognize
from headrecon.photos.pose import EstimatePose
from headrecon.photos.segment import Segment
from headrecon.photos.square import Square, from_photo, sample
from headrecon.types import Photo, Portrait, Rejection, Sighting, Template


@dataclass(frozen=True)
class Detect:
    """Stage: the portraits in a photo (face, fiducials, pose, person), or why it is of no use."""

    find_face: FindFace
    estimate_pose: EstimatePose
    segment: Segment
    recognize: Recognize
    max_pixels: int
    """Photos with more pixels are refused."""
    min_face: float
    """Smallest useful side of the face's box, in pixels of the photo."""
    max_face: float
    """Side of the face's box in the portrait, in pixels; larger photos are reduced."""
    context: float
    """Side of the portrait, in sides of the face's box."""
    lift: float
    """How far the portrait's centre lies above that of the face's box, in sides of the box."""
    setback: float
    """How far the centre of a profile lies behind that of its face's box, in sides of the box."""
    dark: float
    """Smallest median luminance of the face, linear."""
    blown: float
    """Largest share of the face that may be clipped white."""

    def __call__(self, photo: Photo, template: Template) -> Sighting | Rejection:
        """Look at one photo."""
        image = decode(photo, self.max_pixels)
        if isinstance(image, Rejection):
            return image
        faces = self.find_face(photo.name, image)
        if isinstance(faces, Rejection):
            return faces
        faults = [self._fault(image, face) for face in faces]
        usable = [face for face, fault in zip(faces, faults, strict=True) if not fault]
        if not usable:
            return Rejection(photo.name, faults[0])
        return Sighting(
            photo.name, tuple(self._portray(photo, image, face, template) for face in usable)
        )

    def _portray(self, photo: Photo, image: Tensor, face: Face, template: Template) -> Portrait:
        mesh, _ = steady_mesh(image, face)
        pose = self.estimate_pose(template, mesh[:, :2], face.keypoints)
        behind = self.setback * math.sin(math.radians(pose.azimuth))
        centre_x, centre_y = face.x - behind * face.side, face.y - self.lift * face.side
        window = Square(centre_x, centre_y, self.context * face.side, 0.0)
        size = round(self.context * min(face.side, self.max_face))
        return Portrait(
            name=photo.name,
            image=sample(image, window, size).clamp(0.0, 1.0),
            mask=self.segment(image, face, window, size),
            fiducials=from_photo(mesh[:, :2], window, size),
            keypoints=from_photo(face.keypoints, window, size),
            azimuth=pose.azimuth,
            elevation=pose.elevation,
            roll=pose.roll,
            face_score=face.score,
            face_size=face.side,
            corner=mesh.new_tensor([centre_x, centre_y]) - window.side / 2,
            step=window.side / size,
            identity=self.recognize(image, mesh[:, :2]),
            file_bytes=len(photo.encoded),
        )

    def _fault(self, image: Float[Tensor, "rgb=3 h w"], face: Face) -> str:
        """Why a face is of no use; empty if it is."""
        if face.side < self.min_face:
            return f"face too small ({face.side:.0f} pixels)"
        return self._exposure_fault(image, face)

    def _exposure_fault(self, image: Float[Tensor, "rgb=3 h w"], face: Face) -> str:
        """What is wrong with the light on the face; empty if nothing is."""
        middle = sample(image, Square(face.x, face.y, 0.8 * face.side, 0.0), 64)
        light = luminance(middle)
        if float(light.median()) < self.dark:
            return "too dark"
        if float((light > 0.98).float().mean()) > self.blown:
            return "overexposed"
        return ""

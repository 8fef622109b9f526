"""From a photo to what the detectors see in it."""

import math
from dataclasses import dataclass
from typing import ClassVar

from jaxtyping import Bool
from torch import Tensor

from headrecon.geometry.color import luminance
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import at, vertex_normals
from headrecon.geometry.symmetry import mirror_partners
from headrecon.geometry.warp import inside
from headrecon.photos.decode import decode
from headrecon.photos.face_alignment_marks import FaceAlignmentMarks
from headrecon.photos.faces import Face
from headrecon.photos.find import FindFace
from headrecon.photos.fit_pose import fit_pose
from headrecon.photos.head_points import Pose, read_points
from headrecon.photos.identity import Recognize
from headrecon.photos.marks import MeshAndCorrection
from headrecon.photos.second_look import look_again
from headrecon.photos.segment import Segment
from headrecon.photos.segment_head import SegmentHead
from headrecon.photos.square import Square, from_photo, sample
from headrecon.types import Photo, Portrait, Rejection, Sighting, Template

_MIDDLE = 0.8
"""Side of the part of a face's box that is skin, in sides of the box."""
_WHITE = 0.98
"""Luminance from which on a pixel is clipped."""


@dataclass(frozen=True)
class Detect:
    """Stage: the portraits in a photo (face, fiducials, pose, person), or why it is of no use."""

    on_cpu: ClassVar = True
    """Where files are decoded and where the interpreter of most of its networks is."""
    find_face: FindFace
    landmarks: MeshAndCorrection | FaceAlignmentMarks
    segment: Segment | SegmentHead
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
    grazing: float
    """Smallest cosine between normal and line of sight at which a fiducial counts as visible."""

    def __call__(self, photo: Photo, template: Template) -> Sighting | Rejection:
        """Look at one photo."""
        image = decode(photo, self.max_pixels)
        if isinstance(image, Rejection):
            return image
        faces = self.find_face(photo.name, image)
        if isinstance(faces, Rejection):
            return faces
        found = [self._portrait(photo, image, face, template) for face in faces]
        portraits = tuple(one for one in found if isinstance(one, Portrait))
        if portraits:
            return Sighting(photo.name, portraits)
        return Rejection(photo.name, next(one for one in found if isinstance(one, str)))

    def _portrait(
        self, photo: Photo, image: Tensor, face: Face, template: Template
    ) -> Portrait | str:
        """One face's portrait, or why there is none."""
        if face.side < self.min_face:
            return f"face too small ({face.side:.0f} pixels)"
        return self._portray(photo, image, face, template)

    def _portray(self, photo: Photo, image: Tensor, face: Face, template: Template) -> Portrait:
        marks = at(template.fiducials, template.faces, template.vertices)
        partner = mirror_partners(marks)
        head = look_again(image, read_points(image, face, partner), marks, partner)
        points, off = self.landmarks(image, face, head), head.deviation
        pose = fit_pose(head.corrected, marks, face.side, head.pose, off)
        behind = self.setback * math.sin(math.radians(pose.azimuth))
        centre_x, centre_y = face.x - behind * face.side, face.y - self.lift * face.side
        window = Square(centre_x, centre_y, self.context * face.side, 0.0)
        size = round(self.context * min(face.side, self.max_face))
        light = luminance(sample(image, Square(face.x, face.y, _MIDDLE * face.side, 0.0), 64))
        return Portrait(
            name=photo.name,
            image=sample(image, window, size).clamp(0.0, 1.0),
            mask=self.segment(image, face, head, window, size),
            fiducials=from_photo(points, window, size),
            visible=self._facing(template, pose) & (inside(points, *image.shape[-2:]) > 0.5),
            keypoints=from_photo(face.keypoints, window, size),
            azimuth=pose.azimuth,
            elevation=pose.elevation,
            roll=pose.roll,
            deviation=points.new_tensor([off.azimuth, off.elevation, off.roll]),
            face_score=face.score,
            face_size=face.side,
            corner=points.new_tensor([centre_x, centre_y]) - window.side / 2,
            step=window.side / size,
            glasses=head.glasses,
            covered=head.covered,
            light=float(light.median()),
            blown=float((light > _WHITE).float().mean()),
            identity=self.recognize(image, points),
            file_bytes=len(photo.encoded),
        )

    def _facing(self, template: Template, pose: Pose) -> Bool[Tensor, " fiducial=468"]:
        """Which fiducials the template turns to the camera in this pose."""
        normals = vertex_normals(template.vertices, template.faces)
        towards = view_from_head(pose.azimuth, pose.elevation, pose.roll)[2].to(normals)
        return at(template.fiducials, template.faces, normals) @ towards > self.grazing

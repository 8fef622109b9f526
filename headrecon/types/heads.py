"""Heads: the template, meshes, and what is known of them."""

from dataclasses import dataclass

from jaxtyping import Float, Int, UInt8
from torch import Tensor

from headrecon.types.photos import Collection, Rejection
from headrecon.types.views import Camera, Factors, Head, Stack, View

REGIONS = ("face", "ears", "neck", "scalp", "eyes", "lips")
"""Parts of a head. Face is its skin without lips and eyeballs; scalp is where hair grows."""
SKIN = ("face", "neck", "lips")
"""Parts whose normals are the head's and not its hair's, and which have no thin folds."""


@dataclass(frozen=True)
class Template:
    """A whole head, with the fiducials marked on its surface."""

    vertices: Float[Tensor, "vertex xyz=3"]
    """Head frame, millimetres."""
    faces: Int[Tensor, "face 3"]
    """Counter-clockwise seen from outside."""
    region: Int[Tensor, " vertex"]
    """Index into `REGIONS`."""
    fiducials: "SurfacePoints"
    """The 468 points of `Portrait.fiducials`."""
    keypoints: "SurfacePoints"
    """The 6 points of `Portrait.keypoints`."""
    people: Float[Tensor, "person vertex xyz=3"]
    """How random people differ from the average head, in millimetres."""
    fitted: bool
    """Whether it is bent to the person of the photos; else it is a stranger's."""
    haired: bool = False
    """Whether its scalp is the outside of the person's hair; else it is bald."""
    expressions: Float[Tensor, "direction vertex xyz=3"] | None = None
    """What one standard deviation of each direction of expression does, in millimetres."""


@dataclass(frozen=True)
class SurfacePoints:
    """Points on a triangle mesh, which move with it."""

    face: Int[Tensor, " point"]
    barycentric: Float[Tensor, "point 3"]


@dataclass(frozen=True)
class HeadMesh:
    """Triangle mesh in the head frame, millimetres, counter-clockwise seen from outside."""

    vertices: Float[Tensor, "vertex xyz=3"]
    faces: Int[Tensor, "face 3"]
    albedo: Float[Tensor, "vertex rgb=3"]
    """Linear RGB in [0, 1]."""
    support: Float[Tensor, " vertex"]
    """Effective number of photos behind each vertex; 0 where the template fills in."""
    landmarks: Float[Tensor, "landmark=68 xyz=3"]
    """iBUG-68 on the surface."""


SOURCES = ("photos", "outline", "filled")
"""What the place of a vertex rests on: the surfaces of the views, the outlines of the photos only,
or the template and its smooth continuation of the rest."""


@dataclass(frozen=True)
class Evidence:
    """What each vertex of a mesh rests on."""

    source: Int[Tensor, " vertex"]
    """Index into `SOURCES`."""
    deviation: Float[Tensor, " vertex"]
    """By how many millimetres it may be off: the root mean square distance to the true surface."""


@dataclass(frozen=True)
class CompleteHead:
    """A closed mesh, and what it rests on."""

    mesh: HeadMesh
    evidence: Evidence


@dataclass(frozen=True)
class Atlas:
    """A mesh cut open and laid flat, and the picture that covers it."""

    vertex: Int[Tensor, " corner"]
    """Which vertex of the mesh each corner is; along cuts a vertex has several."""
    faces: Int[Tensor, "face 3"]
    """Of corners."""
    uv: Float[Tensor, "corner uv=2"]
    """Place of each corner in the picture, from 0 to 1, v downward."""
    picture: UInt8[Tensor, "rgb=3 h w"]
    """Albedo, coded by the curve of sRGB."""


@dataclass(frozen=True)
class Refinement:
    """A mesh on its way through the epochs of refinement."""

    mesh: HeadMesh
    cameras: tuple[Camera, ...]
    """Of the portraits."""
    rest: Float[Tensor, "vertex xyz=3"]
    """The vertices before the first epoch."""
    epoch: int
    """Epochs done."""
    losses: Float[Tensor, "step term=8"]
    """The terms of every step so far, not weighted; `headrecon.mesh.refine.TERMS` names them."""
    gradients: Float[Tensor, "step variable=2"]
    """Lengths of the gradient of every step; `headrecon.mesh.refine.VARIABLES` names them."""
    rates: Float[Tensor, "step variable=2"]
    """The learning rates of every step, in the same order."""
    errors: Float[Tensor, "epoch photos=2 mesh=2"]
    """Grey levels on photos of which steps have seen, and on those that no step has seen, of the
    mesh that each epoch began with and of the one that it made; NaN without such photos. If photos
    that were not seen are worse after it, the epoch was taken back."""

    @property
    def taken_back(self) -> bool:
        """Whether the latest epoch was."""
        return len(self.errors) > 0 and bool(self.errors[-1, 1, 1] > self.errors[-1, 1, 0])


@dataclass(frozen=True)
class Reconstruction:
    """All that a run has found, for files, pictures and numbers."""

    template: Template
    """As it was aligned to."""
    fitted: Template
    """As the views were solved with."""
    collection: Collection
    rejections: tuple[Rejection, ...]
    views: tuple[View, ...]
    stacks: tuple[Stack, ...]
    factors: tuple[Factors, ...]
    """Before the ambiguity is resolved, with the cameras of the average photos."""
    head: Head
    merged: HeadMesh
    """Before refinement."""
    cameras: tuple[Camera, ...]
    """Of `collection.kept`, refined."""
    mesh: HeadMesh
    """Refined and closed."""
    evidence: Evidence
    scale: float
    """Millimetres of the head per millimetre of the mesh, whose unit is the template's."""

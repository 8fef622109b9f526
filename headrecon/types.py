"""What the stages hand to each other: small frozen values with named axes.

Frames, signs and units are those of docs/conventions.md. A thing that may be missing is another
type (`Portrait` or `Rejection`), never a field that may be None.
"""

from dataclasses import dataclass

from jaxtyping import Bool, Float, Int, UInt8
from torch import Tensor


@dataclass(frozen=True)
class Photo:
    """A picture as found: its name, which is its identity everywhere, and the bytes of its file."""

    name: str
    encoded: UInt8[Tensor, " byte"]


@dataclass(frozen=True)
class Video:
    """A film as found: its name and the bytes of its file."""

    name: str
    encoded: UInt8[Tensor, " byte"]


@dataclass(frozen=True)
class Rejection:
    """A photo that cannot be used, and why in one line."""

    name: str
    reason: str


@dataclass(frozen=True)
class Portrait:
    """What the detectors see in a photo, in pixels of a square crop around the head."""

    name: str
    image: Float[Tensor, "rgb=3 h w"]
    """Linear RGB in [0, 1]."""
    mask: Float[Tensor, "h w"]
    """Probability that the pixel shows the person; 0 outside the photo."""
    fiducials: Float[Tensor, "fiducial=468 xy=2"]
    """In the order of MediaPipe's face mesh; those that are hidden where they are expected."""
    visible: Bool[Tensor, " fiducial=468"]
    """Turned to the camera, and within the photo."""
    keypoints: Float[Tensor, "keypoint=6 xy=2"]
    """Eyes, nose tip, mouth and tragions of the face detector, image left before image right."""
    azimuth: float
    elevation: float
    roll: float
    deviation: Float[Tensor, "angle=3"]
    """Standard deviations of azimuth, elevation and roll, degrees."""
    face_score: float
    """Confidence of the face detector in [0, 1]."""
    face_size: float
    """Side of the face box in pixels of the photo as it was found."""
    corner: Float[Tensor, "xy=2"]
    """Where the crop's upper left corner is in the photo."""
    step: float
    """Photo pixels per pixel of the crop: photo_xy = corner + step * xy."""
    glasses: float
    """Probability that there are glasses or sunglasses."""
    covered: float
    """Share of the face before which there is something, glasses included."""
    identity: Float[Tensor, "embedding=128"]
    """Whose face it is: those of one person are close to each other."""
    file_bytes: int
    """Length of the photo's file."""


@dataclass(frozen=True)
class Sighting:
    """All faces of a photo that could be its subject's, the strongest claim first."""

    name: str
    portraits: tuple[Portrait, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether a photo is used, why not, and the scores behind it; NaN where nothing can be said."""

    name: str
    kept: bool
    reason: str
    """Empty if it is kept."""
    identity_distance: float
    """From the person whom most photos show."""
    sharpness: float
    """Mean gradient of the face per pixel of the portrait, relative to its mean light."""
    mouth_open: float
    """Gap between the lips, in widths of the mouth."""
    eyes_open: float
    """Gap between the lids, in widths of the eyes; of the eye that is more open."""
    glasses: float
    """Probability that there are any."""
    covered: float
    """Share of the face before which there is something."""


@dataclass(frozen=True)
class Collection:
    """One portrait of each photo that shows a face, and what was decided about it."""

    portraits: tuple[Portrait, ...]
    verdicts: tuple[Verdict, ...]
    """In the same order."""

    @property
    def kept(self) -> tuple[Portrait, ...]:
        """The portraits that the head is made of."""
        both = zip(self.portraits, self.verdicts, strict=True)
        return tuple(portrait for portrait, verdict in both if verdict.kept)


@dataclass(frozen=True)
class Camera:
    """Weak perspective: rotate into the view frame, drop z, scale, move to the canvas.

    A point p of the head frame (millimetres) is seen at

        x = origin_x + scale (R p)_x,   y = origin_y - scale (R p)_y,   z = scale (R p)_z

    in pixels; y of the canvas points down, y and z of the view frame up and to the viewer.
    """

    view_from_head: Float[Tensor, "3 3"]
    scale: float
    """Pixels per millimetre."""
    origin: Float[Tensor, "xy=2"]
    """Where the canvas shows the origin of the head frame."""
    height: int
    width: int


@dataclass(frozen=True)
class View:
    """A cluster of photos taken from about the same azimuth."""

    label: str
    nominal: float
    """Azimuth of the cluster's centre."""
    azimuth: float
    """Azimuth of the cluster's average photo, the median over its members."""
    elevation: float
    names: tuple[str, ...]


@dataclass(frozen=True)
class Stack:
    """The photos of a view on one canvas."""

    label: str
    camera: Camera
    names: tuple[str, ...]
    images: Float[Tensor, "photo rgb=3 h w"]
    """Linear RGB in [0, 1]."""
    masks: Float[Tensor, "photo h w"]
    """Probability that the pixel shows the person; 0 outside the photo."""
    flows: Float[Tensor, "photo xy=2 h w"]
    """Where the aligned photo is to be sampled, or was: image(x) = aligned(x + flow(x)).

    Before collection flow this is the flow of the turned template, and not applied yet."""
    belief: Float[Tensor, " photo"]
    """How well each photo fits the others, in (0, 1]; 1 before collection flow."""
    motion: Float[Tensor, " round"]
    """Mean change of the flow in each round of collection flow, in pixels."""
    portrait_from_canvas: Float[Tensor, "photo 2 3"]
    """Affine maps [A b] of the alignment: aligned(x) = portrait(A x + b)."""
    fiducials: Float[Tensor, "fiducial=468 xy=2"]
    """Where the average photo has its fiducials, on the canvas."""
    face: Bool[Tensor, "h w"]
    """Where the template, seen by `camera`, shows skin of the face."""


@dataclass(frozen=True)
class Factors:
    """intensity = lighting @ shape, known up to an invertible k x k matrix between the two."""

    label: str
    camera: Camera
    lighting: Float[Tensor, "photo k"]
    shape: Float[Tensor, "k h w"]
    """Pseudo-normals: 4 of them, or 9 if light of the second order is taken in."""
    color: Float[Tensor, "rgb=3 h w"]
    """Average photo, each photo divided by its mean over the face."""
    support: Float[Tensor, "h w"]
    """Effective number of photos behind each pixel."""
    information: Float[Tensor, "k k h w"]
    """sum_i w_i l_i l_i^T: what the lights of the believed photos say about each component."""
    fiducials: Float[Tensor, "fiducial=468 xy=2"]
    """Where the average photo has its fiducials, on the canvas."""
    face: Bool[Tensor, "h w"]
    mask: Bool[Tensor, "h w"]
    """Head pixels of the view."""
    residual: Float[Tensor, "h w"]
    """Weighted root mean square over the photos of intensity - lighting @ shape."""


@dataclass(frozen=True)
class NormalField:
    """Unit surface normals of one view, in the view frame."""

    label: str
    camera: Camera
    normals: Float[Tensor, "xyz=3 h w"]
    deviation: Float[Tensor, "h w"]
    """By how many degrees they may be off: the root mean square of the angle."""
    albedo: Float[Tensor, "rgb=3 h w"]
    mask: Bool[Tensor, "h w"]
    support: Float[Tensor, "h w"]
    """Effective number of photos behind each pixel."""
    lighting: Float[Tensor, "photo k"]
    fiducials: Float[Tensor, "fiducial=468 xy=2"]
    """Where the average photo has its fiducials, on the canvas."""


@dataclass(frozen=True)
class DepthMap:
    """Height z of the surface towards the viewer, in pixels; 0 outside the mask."""

    label: str
    camera: Camera
    z: Float[Tensor, "h w"]
    mask: Bool[Tensor, "h w"]


@dataclass(frozen=True)
class Surface:
    """One view of the head, solved."""

    normals: NormalField
    depth: DepthMap


@dataclass(frozen=True)
class Head:
    """What has been grown so far, from the frontal view outward."""

    surfaces: tuple[Surface, ...]

    def nearest(self, camera: Camera) -> Surface:
        """The surface whose camera is turned the least from the given one."""
        return max(
            self.surfaces,
            key=lambda s: float((s.depth.camera.view_from_head * camera.view_from_head).sum()),
        )

    def grown(self, normals: NormalField, depth: DepthMap) -> "Head":
        """The head with one more view."""
        return Head((*self.surfaces, Surface(normals, depth)))


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
    rest: Float[Tensor, "vertex xyz=3"]
    """Its vertices before the first epoch."""
    epoch: int
    """Epochs done."""
    losses: Float[Tensor, "step term=5"]
    """The terms of every step so far, not weighted; `headrecon.mesh.refine.TERMS` names them."""


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
    mesh: HeadMesh
    """Refined and closed."""
    evidence: Evidence
    scale: float
    """Millimetres of the head per millimetre of the mesh, whose unit is the template's."""

"""Views: photos from about the same side, and what they say about the surface."""

from dataclasses import dataclass, replace

from jaxtyping import Bool, Float
from torch import Tensor


@dataclass(frozen=True)
class Camera:
    """Rotate into the view frame, magnify what is nearer, scale, move to the canvas.

    A point p of the head frame (millimetres) is seen at

        x = origin_x + scale m (R p)_x,   y = origin_y - scale m (R p)_y,   z = scale (R p)_z
        m = 1 / (1 - nearness (R p)_z)

    in pixels; y of the canvas points down, y and z of the view frame up and to the viewer.
    """

    view_from_head: Float[Tensor, "3 3"]
    scale: float
    """Pixels per millimetre, at the distance of the origin of the head frame."""
    origin: Float[Tensor, "xy=2"]
    """Where the canvas shows the origin of the head frame."""
    height: int
    width: int
    nearness: float = 0.0
    """One over the distance from there to the viewer, per millimetre; 0 is weak perspective."""


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
    """The photos of a view on one canvas.

    As there may be many, images, masks and flows are in half precision, which holds what 8 bits and
    a tenth of a pixel can say; who computes with them takes some at a time in single precision.
    """

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

    def every(self, step: int) -> "Stack":
        """The first of every so many photos."""
        return replace(
            self,
            names=self.names[::step],
            images=self.images[::step],
            masks=self.masks[::step],
            flows=self.flows[::step],
            belief=self.belief[::step],
            portrait_from_canvas=self.portrait_from_canvas[::step],
        )


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

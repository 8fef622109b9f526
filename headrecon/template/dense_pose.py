"""Where a view was taken from, by all that it shows of the head and not by fiducials only."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

import roma
import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.surface import vertex_normals
from headrecon.render.occlusion import Occlusion
from headrecon.template.sight import Skin, skin_seen, turned
from headrecon.types import Camera, Factors, Head, Template

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DensePose:
    """Stage: the camera of a view by its shading and its outline, from what fiducials tell.

    The camera of the stage `first` turns by w, moves by t and grows by a factor of e^g, so that the
    template that is bent to the person explains most of what the view shows:

        min over w, t, g of  |w|^2 / 2 turn^2 + |t|^2 / 2 shift^2 + g^2 / 2 growth^2
                             + (a / 2 s^2) mean_j w_j |N(P Y_j) / rho_j - B h_j|^2 / l^2
                             + (o / 2 u^2) mean_r rho(d(P X_r))

    with the terms of `FitTemplate`: shading and outline of skin. B takes up how normals are turned,
    so that shading tells where features are. What is in sight is found anew in each round. With
    a stranger's template the first camera stays. Angles in degrees, lengths in millimetres.

    Reference: Liang, Shapiro and Kemelmacher-Shlizerman, "Head Reconstruction from Internet
    Photos", ECCV 2016, section 5, where fiducials alone tell it.
    """

    first: Callable[[Factors, tuple[Camera, ...], Head, Template], Factors]
    turn: float
    """Standard deviation of the first camera's rotation, about each axis."""
    shift: float
    growth: float
    normals: float
    """a: independent pixels that a view counts for."""
    normal_deviation: float
    outlines: float
    outline_deviation: float
    outline_reach: float
    cutoff: float
    min_cosine: float
    min_pixels: int
    rounds: int
    steps: int
    """Of descent, in each round."""

    def __call__(
        self, factors: Factors, cameras: tuple[Camera, ...], head: Head, template: Template
    ) -> Factors:
        """Find the camera; `cameras` are those of the view's photos."""
        factors = self.first(factors, cameras, head, template)
        if not template.fitted:
            return factors
        occlusion = Occlusion.of(template.vertices, template.faces)
        camera = factors.camera
        for _ in range(self.rounds):
            skin = skin_seen(
                *(factors, template, occlusion, camera),
                *(self.min_cosine, self.min_pixels, self.cutoff),
            )
            if skin is None:
                return factors
            camera = self._descended(skin, template)
        cosine = ((camera.view_from_head * factors.camera.view_from_head).sum() - 1.0) / 2.0
        angle = float(torch.rad2deg(cosine.clamp(-1.0, 1.0).acos()))
        log.info("%s: shading and outline turn the camera by %.1f degrees", factors.label, angle)
        return replace(factors, camera=camera)

    def _descended(self, skin: Skin, template: Template) -> Camera:
        """The camera of least energy near that of the skin."""
        motion = template.vertices.new_zeros(6).requires_grad_(True)
        optimizer = torch.optim.LBFGS([motion], max_iter=self.steps, line_search_fn="strong_wolfe")

        def energy() -> Tensor:
            optimizer.zero_grad()
            total = 0.5 * motion.square().sum() + self._energy(motion, skin, template)
            total.backward()
            return total

        with torch.enable_grad():
            optimizer.step(energy)
        turn, shift, growth = self._parts(motion.detach())
        camera = skin.camera
        return replace(
            turned(camera, turn),
            scale=camera.scale * float(growth),
            origin=camera.origin + camera.scale * shift,
        )

    def _energy(
        self, motion: Float[Tensor, "6"], skin: Skin, template: Template
    ) -> Float[Tensor, ""]:
        """What the view says against the head, turned before the camera and moved on its canvas."""
        turn, shift, growth = self._parts(motion)
        camera, rotation = skin.camera, skin.camera.view_from_head
        about = rotation.T @ roma.rotvec_to_rotmat(turn) @ rotation
        vertices = template.vertices @ about.T
        normals = vertex_normals(vertices, template.faces)
        place = (growth, camera.scale * shift + (1.0 - growth) * camera.origin)
        of_normals = skin.misfit(vertices, normals, template.faces, place)
        of_outlines = skin.rim.misfit(vertices, camera, place, self.outline_reach)
        return (
            0.5 * self.normals / self.normal_deviation**2 * of_normals
            + 0.5 * self.outlines / self.outline_deviation**2 * of_outlines
        )

    def _parts(
        self, motion: Float[Tensor, "6"]
    ) -> tuple[Float[Tensor, "xyz=3"], Float[Tensor, "xy=2"], Float[Tensor, ""]]:
        """Rotation vector in radians, shift in millimetres and factor, of standard deviations."""
        turn = torch.deg2rad(self.turn * motion[:3])
        return turn, self.shift * motion[3:5], torch.exp(self.growth * motion[5])

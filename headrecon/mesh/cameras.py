"""The camera that took each photo."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from headrecon.geometry.grey import grey_mesh
from headrecon.geometry.portrait_camera import portrait_camera
from headrecon.geometry.surface import at
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.mesh.repaint import Repaint
from headrecon.mesh.sitter import SeenThrough, Sitter, moved
from headrecon.threads import lone_threads
from headrecon.types import Camera, HeadMesh, Portrait, Template

_DIFFERENCES = (0.005, 0.005, 0.005, 0.005, 0.5, 0.5, 0.1)
"""Moves between which slopes are taken."""
_CUTOFF = 3.0
"""Standard deviations at which something has lost three quarters of its say."""
_TRIALS = 4
"""Of ever shorter steps."""
_Terms = tuple[tuple[Float[Tensor, "camera _ _"], Float[Tensor, " _"]], ...]
"""Differences in standard deviations, and what each point counts for."""


@dataclass(frozen=True)
class FiducialCameras:
    """Stage: the pose that was found in the photo, with the head at the photo's fiducials."""

    distance: float | None
    """Millimetres from which photos were taken, on average; none for weak perspective."""

    def __call__(self, portraits: tuple[Portrait, ...], template: Template) -> tuple[Camera, ...]:
        """The cameras, in the order of the portraits."""
        marks = at(template.fiducials, template.faces, template.vertices)
        nearness = 1.0 / self.distance if self.distance else 0.0
        return tuple(portrait_camera(one, marks, nearness=nearness) for one in portraits)

    def of_head(
        self, mesh: HeadMesh, portraits: tuple[Portrait, ...], template: Template
    ) -> tuple[Camera, ...]:
        """Those that see any head's landmarks at the fiducials."""
        nearness, chosen = 1.0 / self.distance if self.distance else 0.0, list(IBUG68_FROM_MESH)
        return tuple(portrait_camera(one, mesh.landmarks, chosen, nearness) for one in portraits)


@dataclass(frozen=True)
class PhotometricCameras:
    """Stage: cameras through which the head, in its best light, looks like the photo.

        min over P, l of  share sum_v w_v rho(|I(P v) - a_v l . (Y(R n_v) - h_v)| / s)
                          + weight sum_m rho(|P m - f_m| / t)
                          + outline sum_o |o| rho(d(P o) / u) + |P - P_0|^2

    P has a turn R, a scale, a shift and a nearness, one over the distance; P_0 is the camera by
    fiducials, from which each of these deviates by as much as the settings say. a is albedo, l
    light (first-order harmonics for each channel), h what the head keeps off, v the vertices of
    skin, m the landmarks and f the photo's fiducials; o are the vertices of the face on the head's
    outline, |o| the length that each stands for, and d how far out of the photo's outline they are;
    rho is Geman-McClure's.

    Fiducials alone do not tell how near a photo was taken from, and their networks err in the
    elevation by degrees. From near a nose is large beside the ears, and a skull, a hand's breadth
    behind the face, is small. By colors alone, faces came out one to three parts in a hundred too
    small, most so in profiles, which make the outlines of hair too large; by the outline of the
    face, they do not.

    Convention: descent by Levenberg and Marquardt's rule, on a photo blurred less and less. The
    light is the best one of every camera that is tried (variable projection).
    Reference: Marquardt, "An algorithm for least-squares estimation of nonlinear parameters", 1963;
    Golub and Pereyra, "The differentiation of pseudo-inverses and nonlinear least squares problems
    whose variables separate", SIAM J. Numerical Analysis 1973.
    """

    on_cpu: ClassVar = True
    """A few thousand vertices at a time."""
    paint: Repaint
    distance: float | None
    """Millimetres from which photos were taken, on average, for all that is known before."""
    parts: Sequence[str]
    """Regions of the template that are compared."""
    blur: Sequence[float]
    """Standard deviations of the blur, millimetres."""
    facing: float
    """Degrees of azimuth up to which a photo tells how near it was taken from."""
    steps: int
    """Of descent, at each blur."""
    share: float
    """What all vertices count for together."""
    deviation: float
    """s, in units of the face's mean."""
    weight: float
    """What a fiducial counts for."""
    fiducial_deviation: float
    """t, in sides of the face."""
    outline: float
    """What a millimetre of the face's outline counts for."""
    outline_deviation: float
    """u, millimetres."""
    turn: float
    """Degrees by which the pose that was found may be off, about each axis."""
    scale: float
    nearness: float
    """Of one over the distance, per metre."""

    def __call__(self, portraits: tuple[Portrait, ...], template: Template) -> tuple[Camera, ...]:
        """The cameras; that by fiducials of a photo that shows too little skin."""
        first = FiducialCameras(self.distance)(portraits, template)
        grey = grey_mesh(template, template.vertices)
        return self.of_head(self.paint(grey, portraits, first, template), portraits, template)

    def of_head(
        self, mesh: HeadMesh, portraits: tuple[Portrait, ...], template: Template
    ) -> tuple[Camera, ...]:
        """Those through which any head looks like the photos, in the albedo that it has.

        First those that the head faces, which tell how near they were taken from. The others, which
        do not, begin at their mean.
        """
        head = Sitter.of(mesh, template, self.parts)

        def found(which: Sequence[int], distance: float | None) -> dict[int, Camera]:
            those = tuple(portraits[index] for index in which)
            first = FiducialCameras(distance).of_head(mesh, those, template)
            with lone_threads(torch.get_num_threads()) as pool:
                solved = pool.map(self._solved, those, first, repeat(head))
                return dict(zip(which, solved, strict=True))

        facing = [i for i, one in enumerate(portraits) if abs(one.azimuth) < self.facing]
        aside = [i for i, one in enumerate(portraits) if abs(one.azimuth) >= self.facing]
        cameras = found(facing, self.distance)
        nearness = sum(camera.nearness for camera in cameras.values()) / max(len(cameras), 1)
        cameras |= found(aside, 1.0 / nearness if nearness else self.distance)
        return tuple(cameras[index] for index in range(len(portraits)))

    def _solved(self, portrait: Portrait, start: Camera, head: Sitter) -> Camera:
        move = torch.zeros(len(_DIFFERENCES)).to(head.mesh.vertices)
        for blur in self.blur:
            photo = head.seen_in(
                portrait, start, move, blur, self.paint.grazing, self.paint.tolerance
            )
            if photo is None:
                return start
            move = self._descended(photo, move)
        return moved(start, move)

    def _descended(
        self, photo: SeenThrough, move: Float[Tensor, "move=7"]
    ) -> Float[Tensor, "move=7"]:
        """Camera of less energy."""
        damping = 1e-3
        differences = torch.diag(move.new_tensor(_DIFFERENCES))
        known = self._known().to(move)
        for _ in range(self.steps):
            tried = torch.cat([move[None], move + differences])
            terms = self._off(photo, tried)
            energy = self._energy(terms, tried)[0]
            hessian, gradient = torch.diag(known), known * move
            for off, weights in terms:
                slopes = (off[1:] - off[:1]) / differences.diagonal()[:, None, None]
                say = weights / (1.0 + off[0].square().sum(dim=1) / _CUTOFF**2) ** 2
                hessian = hessian + torch.einsum("aic,bic,i->ab", slopes, slopes, say)
                gradient = gradient + torch.einsum("aic,ic,i->a", slopes, off[0], say)
            for _ in range(_TRIALS):
                damped = hessian + damping * torch.diag(hessian.diagonal())
                shorter = move - torch.linalg.solve(damped, gradient)
                if bool(self._energy(self._off(photo, shorter[None]), shorter[None])[0] < energy):
                    move, damping = shorter, max(damping / 5.0, 1e-4)
                    break
                damping = 10.0 * damping
            else:
                break
        return move

    def _known(self) -> Float[Tensor, "move=7"]:
        """One over the variance of each move before the photo is looked at."""
        turn = torch.deg2rad(torch.tensor(self.turn))
        deviations = torch.stack([turn, turn, turn, *torch.tensor([self.scale, 1e3, 1e3])])
        return torch.cat([deviations, torch.tensor([self.nearness])]).square().reciprocal()

    def _off(self, photo: SeenThrough, moves: Float[Tensor, "camera move=7"]) -> _Terms:
        light, marks, out = photo.off(moves)
        return (
            (light / self.deviation, self.share * photo.weights),
            (marks / self.fiducial_deviation, self.weight * photo.visible),
            (out / self.outline_deviation, self.outline * photo.lengths),
        )

    def _energy(
        self, terms: _Terms, moves: Float[Tensor, "camera move=7"]
    ) -> Float[Tensor, " camera"]:
        energy = moves.square() @ self._known().to(moves)
        for off, weights in terms:
            square = off.square().sum(dim=2)
            energy = energy + (square / (1.0 + square / _CUTOFF**2)) @ weights
        return energy

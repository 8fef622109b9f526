"""Integration of normals to depth, with the depth that is known from elsewhere."""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from headrecon.depth.boundary import Anchor, Boundary
from headrecon.depth.perspective import in_perspective
from headrecon.geometry.multigrid import GridLaplacian, solve
from headrecon.types import DepthMap, Head, NormalField, Template


@dataclass(frozen=True)
class Integrate:
    """Stage: the depth map that agrees best with the normals and with the known depth.

    One equation for each pair of adjacent masked pixels a and b, with n the mean of their normals,

        n_z (z_b - z_a) = -n_x        b is the pixel to the right of a
        n_z (z_b - z_a) = -n_y        b is the pixel above a

    and one, w_a (z_a - d_a) = 0, for each pixel of known depth d. Multiplying by n_z, instead of
    dividing the right side by it, lets the weight of grazing pixels fade to zero at the silhouette.
    A chord of a circle is perpendicular to the mean of the normals at its ends, so planes and
    spheres are exact. The normal equations are a weighted Laplace equation, solved matrix-free.

    Convention: view frame; z in pixels towards the viewer, 0 outside the mask.
    Reference: Basri, Jacobs and Kemelmacher, "Photometric stereo with general, unknown lighting",
    IJCV 2007, section 4; Liang, Shapiro and Kemelmacher-Shlizerman, ECCV 2016, section 5.
    """

    boundary: Boundary
    tolerance: float
    max_iterations: int

    def __call__(self, field: NormalField, head: Head, template: Template) -> DepthMap:
        """Integrate over the mask."""
        anchor = self.boundary(field, head, template)
        return in_perspective(
            field,
            anchor,
            lambda n, mask, known: integrate(n, mask, known, self.tolerance, self.max_iterations),
        )


def integrate(
    normals: Float[Tensor, "xyz=3 h w"],
    mask: Bool[Tensor, "h w"],
    anchor: Anchor,
    tolerance: float,
    max_iterations: int,
) -> Float[Tensor, "h w"]:
    """Least-squares depth of a field of normals; 0 outside the mask.

    Solved in float64: the squared condition number of the normal equations would cost single
    precision its last digits of slope.
    """
    n = normals.double()
    pair_right = mask & mask.roll(-1, 1)
    pair_right[:, -1] = False
    pair_down = mask & mask.roll(-1, 0)
    pair_down[-1, :] = False
    mean_right = (n + n.roll(-1, 2)) / 2.0
    mean_down = (n + n.roll(-1, 1)) / 2.0

    operator = GridLaplacian(
        right=mean_right[2] ** 2 * pair_right,
        down=mean_down[2] ** 2 * pair_down,
        anchor=anchor.weight.double() * mask,
    )
    # Weighted slopes w (z_b - z_a) that the normals ask for; going down is minus going up.
    slope_right = -mean_right[0] * mean_right[2] * pair_right
    slope_down = mean_down[1] * mean_down[2] * pair_down
    divergence = slope_right.roll(1, 1) - slope_right + slope_down.roll(1, 0) - slope_down
    right_side = divergence + operator.anchor * anchor.z.double()
    return (solve(operator, right_side, tolerance, max_iterations) * mask).to(normals)

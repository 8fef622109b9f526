"""Photos of faces that are pulled, every point of which is where it is at rest."""

from dataclasses import replace

import pytest
import torch

from headrecon.geometry.lighting import basis
from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.expression import Expressions, expressions_of
from headrecon.mesh.photometric import photometric_error
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.template.build import BuildTemplate, principal_expressions
from headrecon.template.model import head_model
from headrecon.types import Stack, Template
from tests.mesh.eggs import begun, head, shots
from tests.mesh.test_refine import REFINE, mean_error, template, through

EGG = head(1.25)
STRENGTHS = torch.tensor(
    [[1.0, 0.0], [-1.0, 0.5], [0.0, -1.0], [0.7, 0.7], [-0.5, 1.0], [0.3, 0.2]]
)


def with_expressions() -> Template:
    """Two bumps beside each other, of 2 millimetres."""
    outward = vertex_normals(EGG.vertices, EGG.faces)
    bumps = []
    for place in ((10.0, 8.0, 42.0), (-9.0, -10.0, 42.0)):
        away = (EGG.vertices - torch.tensor(place)).norm(dim=1)
        bumps.append(2.0 * torch.exp(-0.5 * (away / 8.0).square())[:, None] * outward)
    return replace(template(EGG, "face", False), expressions=torch.stack(bumps))


def pulled_shots(strengths: torch.Tensor) -> tuple[Stack, ...]:
    """The photos of the egg, each with an expression, after a flow that is perfect."""
    expressions = with_expressions().expressions
    assert expressions is not None
    lights = torch.Generator().manual_seed(1)
    stacks = []
    for stack in shots(EGG):
        slopes = 0.35 * torch.randn(6, 3, generator=lights).clamp(-1.0, 1.0)
        fragments = rasterize(EGG.vertices, EGG.faces, stack.camera)
        color = interpolate(fragments, EGG.faces, EGG.albedo)
        images = []
        for strength, slope in zip(strengths, slopes, strict=True):
            shape = EGG.vertices + torch.einsum("d,dvx->vx", strength, expressions)
            normals = vertex_normals(shape, EGG.faces) @ stack.camera.view_from_head.T
            unit = interpolate(fragments, EGG.faces, normals)
            unit = torch.nn.functional.normalize(unit, dim=0).flatten(1)
            light = torch.cat([torch.tensor([0.8]), slope])
            images.append(0.7 * (light @ basis(unit)).view(60, 64).clamp_min(0.0) * color)
        stacks.append(replace(stack, images=torch.stack(images).clamp(0.0, 0.97)))
    return tuple(stacks)


def error(stack: Stack, expressions: Expressions | None) -> float:
    chosen, robust = torch.arange(6), 0.5
    normals = vertex_normals(EGG.vertices, EGG.faces)
    args = (EGG.vertices, normals, EGG.albedo, EGG.faces, stack, chosen, 1, False, robust)
    return float(photometric_error(*args, expressions))


def test_expressions_explain_the_folds_that_light_does_not() -> None:
    expressions = expressions_of(EGG.vertices, with_expressions(), 1e5)
    for stack in pulled_shots(STRENGTHS):
        assert error(stack, expressions) < 0.25 * error(stack, None)


def test_faces_at_rest_are_left_at_rest() -> None:
    stack = pulled_shots(torch.zeros(6, 2))[0]
    expressions = expressions_of(EGG.vertices, with_expressions(), 200.0)
    assert error(stack, expressions) == pytest.approx(error(stack, None), abs=1e-6)


def test_strengths_are_those_that_photos_were_made_with() -> None:
    stack = pulled_shots(STRENGTHS)[0]
    expressions = expressions_of(EGG.vertices, with_expressions(), 1e8)
    fragments = rasterize(EGG.vertices, EGG.faces, stack.camera)
    normals = vertex_normals(EGG.vertices, EGG.faces) @ stack.camera.view_from_head.T
    layers = interpolate(fragments, EGG.faces, torch.cat([EGG.albedo, normals], dim=1))
    seen = fragments.mask & (layers[5] > 0.2)
    color, unit = layers[:3, seen], torch.nn.functional.normalize(layers[3:, seen], dim=0)
    turns = expressions.turns @ stack.camera.view_from_head.T
    turned = torch.stack([interpolate(fragments, EGG.faces, turn)[:, seen] for turn in turns])
    slopes = 0.35 * torch.randn(6, 3, generator=torch.Generator().manual_seed(1)).clamp(-1.0, 1.0)
    light = 0.7 * torch.cat([torch.full((6, 1), 0.8), slopes], dim=1)
    found = expressions.coefficients(
        *(stack.images[:, :, seen], light[:, None].expand(-1, 3, -1), color, unit, turned),
        *(torch.ones(6, int(seen.sum())), 0.5),
    )
    assert torch.allclose(found, STRENGTHS, atol=0.06)


def test_a_mesh_is_not_bent_by_what_its_photos_smile() -> None:
    smiling = pulled_shots(torch.tensor([[2.0, 2.0]] * 3 + [[0.0, 0.0]] * 3))
    moved = {}
    for pixels in (0.0, 1e5):
        refine = replace(REFINE, expression=pixels, diffusion=[8])
        end = through(refine, begun(EGG, smiling), smiling, with_expressions())
        moved[pixels] = float((end.mesh.vertices - EGG.vertices).norm(dim=1).max())
        assert mean_error(end.mesh, smiling) < 10.0
    assert moved[1e5] < 0.7 * moved[0.0]


def test_the_template_s_expressions_hold_nearly_all_that_faces_do() -> None:
    expressions, actions = BuildTemplate(size=1.0, people=2)().expressions, head_model().expression
    assert expressions is not None
    flat = torch.nn.functional.normalize(expressions.flatten(1), dim=1)
    assert torch.allclose(flat @ flat.T, torch.eye(len(flat)), atol=1e-4)
    kept = (actions.flatten(1) @ flat.T).square().sum() / actions.square().sum()
    assert float(kept) > 0.9
    whole = principal_expressions(actions, len(actions)).square().sum()
    assert float(whole) == pytest.approx(0.04 * float(actions.square().sum()), rel=1e-3)

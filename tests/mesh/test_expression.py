"""Photos of faces that are pulled."""

from dataclasses import replace

import pytest
import torch

from headrecon.geometry.lighting import basis
from headrecon.geometry.surface import vertex_normals
from headrecon.mesh.expression import expressions_of
from headrecon.mesh.refine import TERMS
from headrecon.render.rasterize import interpolate, rasterize
from headrecon.template.build import BuildTemplate, principal_expressions
from headrecon.template.model import head_model
from headrecon.types import Stack, Template
from tests.mesh.eggs import begun, head, shots
from tests.mesh.test_refine import REFINE, template, through

EGG = head(1.25)


def with_expressions() -> Template:
    """Two bumps beside each other, of 2 millimetres."""
    outward = vertex_normals(EGG.vertices, EGG.faces)
    bumps = []
    for place in ((10.0, 8.0, 42.0), (-9.0, -10.0, 42.0)):
        away = (EGG.vertices - torch.tensor(place)).norm(dim=1)
        bumps.append(2.0 * torch.exp(-0.5 * (away / 8.0).square())[:, None] * outward)
    return replace(template(EGG, "face", False), expressions=torch.stack(bumps))


def pulled_shots(strengths: torch.Tensor) -> tuple[Stack, ...]:
    """The photos of the egg, each with an expression."""
    expressions = with_expressions().expressions
    assert expressions is not None
    lights = torch.Generator().manual_seed(1)
    stacks = []
    for stack in shots(EGG):
        slopes = 0.35 * torch.randn(6, 3, generator=lights).clamp(-1.0, 1.0)
        images = []
        for strength, slope in zip(strengths, slopes, strict=True):
            shape = EGG.vertices + torch.einsum("d,dvx->vx", strength, expressions)
            fragments = rasterize(shape, EGG.faces, stack.camera)
            normals = vertex_normals(shape, EGG.faces) @ stack.camera.view_from_head.T
            layers = interpolate(fragments, EGG.faces, torch.cat([EGG.albedo, normals], dim=1))
            unit = torch.nn.functional.normalize(layers[3:], dim=0).flatten(1)
            light = torch.cat([torch.tensor([0.8]), slope])
            shading = (light @ basis(unit)).view(60, 64).clamp_min(0.0)
            images.append(0.7 * shading * layers[:3])
        stacks.append(replace(stack, images=torch.stack(images).clamp(0.0, 0.97)))
    return tuple(stacks)


def test_a_mesh_is_pulled_as_the_template_below_it():
    kind = with_expressions()
    assert kind.expressions is not None
    found = expressions_of(kind.vertices, kind)
    assert torch.allclose(found, kind.expressions, atol=1e-4)
    middle = kind.vertices[kind.faces].mean(dim=1)
    between = kind.expressions[:, kind.faces].mean(dim=2)
    assert torch.allclose(expressions_of(middle, kind), between, atol=1e-4)
    assert expressions_of(middle, replace(kind, expressions=None)).shape == (0, len(middle), 3)


def test_photos_of_faces_that_are_pulled_this_way_and_that_are_explained():
    """The face at rest is in the middle of them, which is where the mesh is."""
    smiling = pulled_shots(torch.tensor([[2.0, 2.0], [-2.0, -2.0]] * 3))
    left, moved = {}, {}
    for on in (False, True):
        refine = replace(REFINE, expression=on, camera_rate=0.1, diffusion=[8], steps=60)
        end = through(refine, begun(EGG, smiling), smiling, with_expressions())
        left[on] = float(end.losses[-5:, TERMS.index("photometric")].mean())
        moved[on] = float((end.mesh.vertices - EGG.vertices).norm(dim=1).max())
    assert left[True] < 0.6 * left[False]
    assert moved[True] < 1.0


def test_the_template_s_expressions_hold_nearly_all_that_faces_do() -> None:
    expressions, actions = BuildTemplate(size=1.0, people=2)().expressions, head_model().expression
    assert expressions is not None
    flat = torch.nn.functional.normalize(expressions.flatten(1), dim=1)
    assert torch.allclose(flat @ flat.T, torch.eye(len(flat)), atol=1e-4)
    kept = (actions.flatten(1) @ flat.T).square().sum() / actions.square().sum()
    assert float(kept) > 0.9
    whole = principal_expressions(actions, len(actions)).square().sum()
    assert float(whole) == pytest.approx(0.04 * float(actions.square().sum()), rel=1e-3)

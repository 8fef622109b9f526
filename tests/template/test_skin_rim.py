"""The outline of a view, of skin and of hair."""

from dataclasses import replace

import torch

from headrecon.geometry.camera import project
from headrecon.geometry.rotation import view_from_head
from headrecon.geometry.surface import at
from headrecon.render.rasterize import rasterize
from headrecon.render.reproject import see_template
from headrecon.template.build import BuildTemplate
from headrecon.template.skin_rim import skin_probability, skin_rim
from headrecon.types import Camera, Factors, Template

HEAD = BuildTemplate(size=1.0, people=2)()
CAMERA = Camera(view_from_head(30.0), 0.8, torch.tensor([128.0, 132.0]), 256, 256, 1 / 1500.0)
STAY = (torch.tensor(1.0), torch.zeros(2))
SKIN, HAIR = torch.tensor([0.6, 0.4, 0.3]), torch.tensor([0.08, 0.06, 0.05])


def view(head: Template, mask: torch.Tensor | None = None) -> Factors:
    """Skin and hair, each of one color and a little noise."""
    scalp = see_template(head, CAMERA, ("scalp",)).mask
    mask = rasterize(head.vertices, head.faces, CAMERA).mask if mask is None else mask
    noise = 1.0 + 0.05 * torch.randn(3, 256, 256, generator=torch.Generator().manual_seed(0))
    color = torch.where(scalp, HAIR[:, None, None], SKIN[:, None, None]) * noise * mask
    nothing = torch.zeros(256, 256)
    marks = project(at(head.fiducials, head.faces, head.vertices), CAMERA)[:, :2]
    return Factors(
        label="view+30",
        camera=CAMERA,
        lighting=torch.zeros(5, 4),
        shape=torch.zeros(4, 256, 256),
        color=color,
        support=5.0 * mask,
        information=torch.zeros(4, 4, 256, 256),
        fiducials=marks,
        face=mask,
        mask=mask,
        residual=nothing,
    )


def wider(millimetres: float) -> Template:
    """The head with its face to either side as much wider, at the ears' height."""
    side = HEAD.vertices[:, :1] / 75.0
    shift = torch.cat([millimetres * side, torch.zeros_like(side), torch.zeros_like(side)], dim=1)
    return replace(HEAD, vertices=HEAD.vertices + shift)


def test_a_head_is_on_its_own_outline():
    rim = skin_rim(view(HEAD), HEAD, CAMERA)
    assert len(rim.vertex) > 50
    assert float(rim.misfit(HEAD.vertices, CAMERA, STAY, 10.0)) < 0.05


def test_the_outline_of_a_wider_face_pulls_the_cheek_outward():
    rim = skin_rim(view(wider(6.0)), HEAD, CAMERA)
    before = float(rim.misfit(HEAD.vertices, CAMERA, STAY, 10.0))
    half = float(rim.misfit(wider(3.0).vertices, CAMERA, STAY, 10.0))
    there = float(rim.misfit(wider(6.0).vertices, CAMERA, STAY, 10.0))
    assert before > 2.0 * half > 4.0 * there


def test_where_hair_is_the_outline_skin_is_not_asked_to_be_there():
    whole = view(HEAD)
    around = torch.nn.functional.max_pool2d(whole.mask[None, None].float(), 25, 1, 12)[0, 0] > 0.5
    behind = around & ~whole.mask
    color = torch.where(behind, HAIR[:, None, None], whole.color)
    rim = skin_rim(replace(whole, mask=around, color=color), HEAD, CAMERA)
    assert len(rim.vertex) < 0.1 * len(skin_rim(whole, HEAD, CAMERA).vertex)


def test_skin_is_told_from_hair_by_color():
    whole = view(HEAD)
    skin = skin_probability(whole, HEAD, CAMERA)
    scalp = see_template(HEAD, CAMERA, ("scalp",)).mask
    face = see_template(HEAD, CAMERA, ("face",)).mask
    assert float(skin[scalp].mean()) < 0.05
    assert float(skin[face].mean()) > 0.95


def test_a_bald_head_is_skin_all_around():
    whole = view(HEAD)
    noise = 1.0 + 0.05 * torch.randn(3, 256, 256, generator=torch.Generator().manual_seed(1))
    bald = replace(whole, color=SKIN[:, None, None] * noise * whole.mask)
    rim = skin_rim(bald, HEAD, CAMERA)
    assert len(rim.vertex) > 0.7 * len(skin_rim(whole, HEAD, CAMERA).vertex)


def test_nothing_in_sight_is_no_outline():
    away = replace(CAMERA, view_from_head=view_from_head(180.0))
    scalp_only = skin_rim(view(HEAD), HEAD, away)
    assert float(scalp_only.misfit(HEAD.vertices, away, STAY, 10.0)) >= 0.0
    blank = view(HEAD, torch.zeros(256, 256, dtype=torch.bool))
    empty = skin_rim(blank, HEAD, CAMERA)
    assert float(empty.misfit(HEAD.vertices, CAMERA, STAY, 10.0)) < 101.0

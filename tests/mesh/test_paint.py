"""A ball with dark hair above and light skin below, seen from the front only."""

from dataclasses import replace

import torch

from headrecon.mesh.paint import paint
from headrecon.types import Head
from tests.mesh.balls import ball, surface

HAIR, SKIN = 0.1, 0.6


def painted(hairy: torch.Tensor) -> torch.Tensor:
    """Albedo of the vertices of the ball."""
    vertices, faces = ball(40.0)
    front = surface(0.0, 40.0)
    above = front.normals.normals[1] > 0.0
    albedo = torch.where(above, HAIR, SKIN) * front.normals.mask
    field = replace(front.normals, albedo=albedo.expand(3, -1, -1))
    found = paint(vertices, faces, Head((replace(front, normals=field),)), hairy, 2.0, 0.02)
    return found.albedo.mean(dim=1)


def test_unseen_hair_has_the_colour_of_hair_and_unseen_skin_that_of_skin():
    vertices, _ = ball(40.0)
    albedo = painted((vertices[:, 1] > 0.0).float())
    behind = vertices[:, 2] < -10.0
    hair, skin = (albedo[behind & (side * vertices[:, 1] > 6.0)] for side in (1.0, -1.0))
    # Albedo is known up to a factor.
    assert float(hair.max()) < 0.35 * float(skin.min())
    assert float(hair.std()) < 0.02


def test_far_from_its_edge_hair_has_the_colour_of_most_of_it():
    vertices, _ = ball(40.0)
    # What counts as hair has a strip of skin at its lower edge.
    albedo = painted((vertices[:, 1] > -12.0).float())
    strip = (vertices[:, 1] < -6.0) & (vertices[:, 1] > -11.0)
    front, behind = (albedo[strip & (side * vertices[:, 2] > 30.0)] for side in (1.0, -1.0))
    hair = albedo[(vertices[:, 1] > 25.0) & (vertices[:, 2] > 5.0)].median()
    assert float(front.mean()) > 4.0 * float(hair)
    assert float(behind.mean()) < 2.5 * float(hair)


def test_without_any_hair_in_sight_all_is_painted_like_skin():
    vertices, _ = ball(40.0)
    behind = (vertices[:, 2] < -30.0).float()
    assert torch.allclose(painted(behind), painted(torch.zeros_like(behind)), atol=1e-3)


def test_a_view_that_says_something_else_than_the_others_is_left_out():
    vertices, faces = ball(40.0)
    views = []
    for azimuth in (0.0, 45.0, -45.0):
        one = surface(azimuth, 40.0)
        albedo = SKIN * one.normals.mask.float()
        if azimuth == 45.0:
            # A background of another colour has come in at its rim.
            albedo = torch.where(one.normals.normals[2] < 0.8, 20.0 * albedo, albedo)
        views.append(replace(one, normals=replace(one.normals, albedo=albedo.expand(3, -1, -1))))
    bald = torch.zeros(len(vertices))
    found, right = (
        paint(vertices, faces, Head(tuple(seen)), bald, 2.0, 0.02).albedo.mean(dim=1)
        for seen in (views, [views[0], views[2]])
    )
    front = (vertices[:, 2] > 25.0) & (vertices[:, 0].abs() < 15.0)
    ratio = found[front] / right[front]
    assert float(ratio.max() / ratio.min()) < 1.1

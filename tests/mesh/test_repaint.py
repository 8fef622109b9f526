"""Albedo from photos, of a head in many lights."""

from dataclasses import replace

import pytest
import torch

from headrecon.mesh.cameras import FiducialCameras
from headrecon.mesh.parts import is_part
from headrecon.mesh.repaint import KeepPaint, Repaint
from headrecon.types import HeadMesh, Portrait
from tests.sitter import TEMPLATE, head, photo_of

REPAINT = Repaint(
    rounds=4,
    robust=0.15,
    skin=3.5,
    grazing=0.15,
    tolerance=2.0,
    prior=0.1,
    smoothness=0.02,
)
AZIMUTHS = (-60.0, -30.0, -12.0, 0.0, 12.0, 30.0, 60.0)


def photos(mesh: HeadMesh) -> tuple[Portrait, ...]:
    """From all sides, each in a light of its own."""
    random = torch.rand(len(AZIMUTHS), 4, generator=torch.Generator().manual_seed(0))
    lights = 0.3 * (random - 0.5) + torch.tensor([0.5, 0.0, 0.1, 0.2])
    return tuple(
        photo_of(mesh, azimuth, light=tuple(tuple(light.tolist()) for _ in range(3)))
        for azimuth, light in zip(AZIMUTHS, lights, strict=True)
    )


def painted(
    mesh: HeadMesh, taken: tuple[Portrait, ...], stage: Repaint | KeepPaint = REPAINT
) -> HeadMesh:
    """The mesh in the colors of photos, through the cameras that took them."""
    return stage(mesh, taken, FiducialCameras(None)(taken, TEMPLATE), TEMPLATE)


def shadowed(mesh: HeadMesh) -> HeadMesh:
    """With the neck and the ears too dark, as if shadows were painted on, and spots."""
    dark = is_part(mesh.vertices, TEMPLATE, ("ears", "neck"))[:, None]
    spots = 0.1 * torch.sin(mesh.vertices[:, :1] / 5.0)
    return replace(mesh, albedo=(mesh.albedo * (1.0 - 0.4 * dark) + spots).clamp(0.0, 1.0))


def off(found: HeadMesh, true: HeadMesh, parts: tuple[str, ...]) -> float:
    """Median difference of albedo on some parts, as a share of it, up to one factor for all."""
    ratio = (found.albedo / true.albedo.clamp_min(1e-3)).clamp_min(1e-3).log()
    ratio = ratio - ratio[is_part(true.vertices, TEMPLATE, ("face",)) > 0.5].median()
    return float(ratio[is_part(true.vertices, TEMPLATE, parts) > 0.5].abs().median())


def test_albedo_is_found_where_light_is_kept_off():
    true = head()
    start = shadowed(true)
    found = painted(start, photos(true))
    for parts in (("face",), ("ears",), ("neck",)):
        assert off(start, true, parts) > 0.05
        assert off(found, true, parts) < 0.2 * off(start, true, parts)
    assert torch.equal(found.vertices, true.vertices)


def test_the_mean_of_the_face_stays_and_the_order_of_photos_does_not_matter():
    true = head()
    start = replace(true, albedo=0.5 * true.albedo)
    taken = photos(true)
    found, other = (painted(start, some) for some in (taken, taken[::-1]))
    face = is_part(true.vertices, TEMPLATE, ("face",)) > 0.5
    ratio = found.albedo[face].mean() / start.albedo[face].mean()
    assert float(ratio) == pytest.approx(1.0, abs=0.03)
    assert torch.allclose(found.albedo, other.albedo, atol=1e-4)


def test_a_hand_before_one_photo_does_not_count():
    true = head()
    clean = photos(true)
    covered = clean[3].image.clone()
    covered[:, 70:100, 60:100] = 0.05
    taken = (*clean[:3], replace(clean[3], image=covered), *clean[4:])
    found, without = painted(true, taken), painted(true, clean)
    mean = painted(true, taken, replace(REPAINT, robust=1e3))
    assert off(found, without, ("face",)) < 0.25 * off(mean, without, ("face",))


def test_collars_do_not_count():
    true = head()
    low = true.vertices[:, 1:2] < -95.0
    dressed = replace(true, albedo=torch.where(low, torch.tensor([0.1, 0.2, 0.9]), true.albedo))
    found = painted(true, photos(dressed))
    neck = (is_part(true.vertices, TEMPLATE, ("neck",)) > 0.5) & (true.vertices[:, 1] < -100.0)
    # Skin is 0.8 and 0.7 of its red in green and blue; the collar has nine times as much blue.
    blue = found.albedo[neck, 2] / found.albedo[neck, 0].clamp_min(1e-3)
    assert float(blue.quantile(0.9)) < 1.0


def test_photos_without_a_face_change_nothing():
    true = head()
    nobody = tuple(replace(one, mask=torch.zeros_like(one.mask)) for one in photos(true))
    for taken in (nobody, ()):
        assert torch.equal(painted(true, taken).albedo, true.albedo)
    assert painted(true, photos(true), KeepPaint()) is true


def test_hair_ends_sharply_where_photos_show_it_and_softly_where_none_does():
    bald, scalp = head(), is_part(TEMPLATE.vertices, TEMPLATE, ("scalp",)) > 0.5
    true = replace(bald, albedo=torch.where(scalp[:, None], 0.2 * bald.albedo, bald.albedo))
    frontal = tuple(photo_of(true, azimuth) for azimuth in (-15.0, 0.0, 15.0))
    found = painted(true, frontal, replace(REPAINT, smoothness=0.2))
    edges = torch.cat([true.faces[:, [0, 1]], true.faces[:, [1, 2]], true.faces[:, [2, 0]]])
    z = true.vertices[edges, 2]
    border = scalp[edges[:, 0]] != scalp[edges[:, 1]]
    logs, before = (one.albedo.mean(dim=1).clamp_min(1e-3).log() for one in (found, true))
    steps, wanted = ((log[edges[:, 0]] - log[edges[:, 1]]).abs() for log in (logs, before))
    behind, before_us = border & (z.amax(dim=1) < -60.0), border & (z.amin(dim=1) > 60.0)
    assert float(steps[before_us].mean()) > 0.75 * float(wanted[before_us].mean())
    assert float(steps[behind].mean()) < 0.75 * float(wanted[behind].mean())

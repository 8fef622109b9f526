"""Normals from photos and from what is expected, against slow twins."""

import torch
from torch.nn import functional

from headrecon.geometry.mixing import harmonics
from headrecon.shading.posterior import model_error, near_average, posterior

PIXELS, PHOTOS = 400, 60
AVERAGE = torch.full((PIXELS,), 0.5)
MIXING = torch.eye(4) + 0.2 * torch.randn(4, 4, generator=torch.Generator().manual_seed(5))


def facing(seed: int, spread: float) -> torch.Tensor:
    """Normals around the line of sight."""
    off = spread * torch.randn(2, PIXELS, generator=torch.Generator().manual_seed(seed))
    return functional.normalize(torch.cat([off, torch.ones(1, PIXELS)]), dim=0)


def measured(normals: torch.Tensor, off: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pseudo-normals with a deviation, and the information of the lights."""
    generator = torch.Generator().manual_seed(6)
    light = torch.randn(PHOTOS, 4, generator=generator) @ torch.linalg.inv(MIXING)
    albedo = 0.3 + 0.5 * torch.rand(PIXELS, generator=generator)
    pseudo = MIXING @ (albedo * (harmonics(normals, 4) + off))
    return pseudo, (light.T @ light)[:, :, None].expand(4, 4, PIXELS)


def test_the_posterior_is_the_least_squares_solution_of_each_pixel() -> None:
    normals, expected = facing(0, 0.5), facing(1, 0.5)
    pseudo, information = measured(normals, torch.zeros(4, PIXELS))
    variance = torch.rand(PIXELS, generator=torch.Generator().manual_seed(2)) + 0.1
    deviation = torch.full((PIXELS,), 0.2)
    known = harmonics(expected, 4)
    shape, _ = posterior(pseudo, information, MIXING, variance, known, deviation, AVERAGE)
    for j in range(0, PIXELS, 40):
        root = torch.linalg.cholesky(information[:, :, j]).T / variance[j].sqrt()
        known = harmonics(expected, 4)[:, j]
        light = MIXING.T @ information[:, :, j]
        albedo = (known @ light @ pseudo[:, j]) / (known @ light @ MIXING @ known)
        rows = torch.cat([root @ MIXING, torch.eye(4) / (0.2 * albedo)])
        values = torch.cat([root @ pseudo[:, j], known / 0.2])
        twin = torch.linalg.lstsq(rows, values).solution
        torch.testing.assert_close(shape[:, j], twin, atol=1e-4, rtol=1e-4)


def test_photos_without_error_are_believed_and_photos_without_light_are_not() -> None:
    normals, expected = facing(0, 0.5), facing(1, 0.5)
    pseudo, information = measured(normals, torch.zeros(4, PIXELS))
    deviation = torch.full((PIXELS,), 0.2)
    for variance, right in ((1e-8, normals), (1e8, expected)):
        shape, angle = posterior(
            pseudo,
            information,
            MIXING,
            torch.full((PIXELS,), variance),
            harmonics(expected, 4),
            deviation,
            AVERAGE,
        )
        torch.testing.assert_close(
            functional.normalize(shape[1:4], dim=0), right, atol=1e-3, rtol=0
        )
        sure = float(angle.median())
        assert (
            sure < 0.01 if variance < 1 else abs(sure - torch.rad2deg(deviation[0]) * 2**0.5) < 0.1
        )


def test_the_model_error_is_found_by_what_is_known_of_the_surface() -> None:
    """Normals that are off by an error e per photo, in common, whose lights are alike all round."""
    normals = facing(0, 0.5)
    for error in (0.02, 0.1):
        spread = torch.linalg.inv(
            MIXING.T @ measured(normals, torch.zeros(4, 1))[1][:, :, 0] @ MIXING
        )
        root = torch.linalg.cholesky(spread) * error * PHOTOS**0.5
        noise = torch.randn(4, PIXELS, generator=torch.Generator().manual_seed(3))
        _, information = measured(normals, torch.zeros(4, 1))
        albedo = 0.5
        pseudo = MIXING @ (albedo * harmonics(normals, 4) + root @ noise)
        support = torch.full((PIXELS,), float(PHOTOS))
        known = harmonics(normals, 4)
        found = model_error(pseudo, information, MIXING, support, known, least=0.001)
        assert abs(float(found) / error - 1.0) < 0.15


def test_nothing_known_leaves_the_least_model_error() -> None:
    nothing = torch.zeros(4, 0)
    found = model_error(nothing, torch.zeros(4, 4, 0), MIXING, torch.zeros(0), nothing, least=0.01)
    assert float(found) == torch.tensor(0.01)


def test_albedo_stays_near_the_average_photo_up_to_one_factor() -> None:
    """A pixel that the matrix makes black, or white, is as bright as the average photo allows."""
    average = 0.1 + 0.5 * torch.rand(101, generator=torch.Generator().manual_seed(8))
    albedo = 3.0 * average
    albedo[0], albedo[1] = -2.0, 90.0 * average[1]
    found = near_average(albedo, average, 4.0)
    torch.testing.assert_close(found[2:], albedo[2:])
    torch.testing.assert_close(found[:2], average[:2] * torch.tensor([0.75, 12.0]))

"""Changes of examples that leave what they show as it is."""

import math

import torch
from jaxtyping import Float, Int
from kornia.filters import gaussian_blur2d
from torch import Tensor
from torch.nn import functional

from headrecon.truth import LABELS

Images = Float[Tensor, "window rgb=3 h w"]
Labels = Int[Tensor, "window h w"]
Places = Float[Tensor, "window xyz=3 h w"]
Batch = tuple[
    Float[Tensor, "window rgb=3 size size"],
    Int[Tensor, "window size size"],
    Float[Tensor, "window xyz=3 size size"],
]


def augmented(
    images: Images, labels: Labels, places: Places, size: int, generator: torch.Generator
) -> Batch:
    """A batch at the network's size, moved, mirrored, covered, in other places and colours."""
    images, labels, places = _moved(images, labels, places, size, generator)
    images = _elsewhere(images, labels, generator)
    images, labels, places = _covered(images, labels, places, generator)
    return _developed(images, generator), labels, places


def _moved(
    images: Images, labels: Labels, places: Places, size: int, generator: torch.Generator
) -> Batch:
    """Turned, scaled, shifted, and half of them mirrored; places are mirrored with them."""
    count = len(images)
    angle = torch.randn(count, generator=generator) * math.radians(8.0)
    scale = 0.9 * torch.exp(0.1 * torch.randn(count, generator=generator))
    flip = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    shift = 0.05 * torch.randn(count, 2, generator=generator)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = [torch.stack([flip * cos, -sin, shift[:, 0]], -1)]
    rows += [torch.stack([flip * sin, cos, shift[:, 1]], -1)]
    grid = functional.affine_grid(torch.stack(rows, 1), [count, 1, size, size], align_corners=False)
    # Places have steps, at outlines and between parts, that must not be averaged.
    known = places.isfinite().all(dim=1, keepdim=True).float()
    layers = torch.cat([labels[:, None].float(), known, places.nan_to_num(0.0)], dim=1)
    nearest = functional.grid_sample(layers, grid, mode="nearest", align_corners=False)
    moved = (
        nearest[:, 2:]
        * torch.stack([flip, torch.ones(count), torch.ones(count)], 1)[..., None, None]
    )
    moved = moved.masked_fill(nearest[:, 1:2] < 0.5, torch.nan)
    seen = functional.grid_sample(images, grid, align_corners=False)
    return seen, nearest[:, 0].round().long(), moved


def _elsewhere(images: Images, labels: Labels, generator: torch.Generator) -> Images:
    """A third of the people before the picture of somebody else, upside down as often as not."""
    count = len(images)
    other = images[torch.randperm(count, generator=generator)].flip(2)
    chosen = torch.rand(count, generator=generator) < 0.33
    soft = gaussian_blur2d((labels > 0).float()[:, None], 3, (0.7, 0.7))
    mixed = soft * images + (1.0 - soft) * other
    return torch.where(chosen[:, None, None, None], mixed, images)


def _covered(
    images: Images, labels: Labels, places: Places, generator: torch.Generator
) -> tuple[Images, Labels, Places]:
    """A quarter of them with a patch of another picture or of one colour in front."""
    count, _, height, width = images.shape
    chosen = torch.rand(count, generator=generator) < 0.25
    low = torch.rand(count, 2, generator=generator)
    extent = 0.1 + 0.25 * torch.rand(count, 2, generator=generator)
    y = (torch.arange(height) + 0.5) / height
    x = (torch.arange(width) + 0.5) / width
    in_y = (y >= low[:, :1]) & (y < low[:, :1] + extent[:, :1])
    in_x = (x >= low[:, 1:]) & (x < low[:, 1:] + extent[:, 1:])
    patch = in_y[:, :, None] & in_x[:, None, :] & chosen[:, None, None]
    plain = torch.rand(count, 3, 1, 1, generator=generator).expand_as(images)
    other = images[torch.randperm(count, generator=generator)]
    use_plain = torch.rand(count, generator=generator) < 0.5
    cover = torch.where(use_plain[:, None, None, None], plain, other)
    images = torch.where(patch[:, None], cover, images)
    labels = torch.where(patch & (labels > 0), LABELS.index("occluder"), labels)
    return images, labels, places.masked_fill(patch[:, None], torch.nan)


def _developed(images: Images, generator: torch.Generator) -> Images:
    """Other exposure, colour, contrast, sharpness and noise."""
    count = len(images)

    def normal(spread: float, channels: int = 1) -> Tensor:
        return spread * torch.randn(count, channels, 1, 1, generator=generator)

    gamma = torch.exp(normal(0.25))
    out = images.clamp(0.0, 1.0) ** gamma * torch.exp(normal(0.15) + normal(0.08, 3))
    middle = out.mean(dim=(1, 2, 3), keepdim=True)
    out = middle + (out - middle) * torch.exp(normal(0.15))
    grey = (torch.rand(count, generator=generator) < 0.12)[:, None, None, None]
    out = torch.where(grey, out.mean(dim=1, keepdim=True).expand_as(out), out)
    blurred = gaussian_blur2d(out, 5, (1.2, 1.2))
    share = torch.rand(count, 1, 1, 1, generator=generator) * (normal(1.0) > 0.0)
    out = share * blurred + (1.0 - share) * out
    noise = torch.randn(out.shape, generator=generator)
    return (out + normal(0.02).abs() * noise).clamp(0.0, 1.0)

"""Changes of examples that leave what they show as it is."""

import math

import torch
from jaxtyping import Float, Int
from kornia.filters import gaussian_blur2d
from torch import Tensor
from torch.nn import functional

from headrecon.truth import LABELS

Images = Float[Tensor, "window rgb=3 h w"]
Guesses = Float[Tensor, "window h w"]
Labels = Int[Tensor, "window h w"]
Batch = tuple[
    Float[Tensor, "window rgb=3 size size"],
    Float[Tensor, "window size size"],
    Int[Tensor, "window size size"],
]
REACH = 0.8
"""Share of an example's side that the network's window has, so that it can move in it."""


def augmented(
    images: Images, guesses: Guesses, labels: Labels, size: int, generator: torch.Generator
) -> Batch:
    """A batch at the network's size: moved, mirrored, in other hair, clothes and light, covered."""
    images, guesses, labels = _moved(images, guesses, labels, size, generator)
    images, guesses, labels = _haired(images, guesses, labels, generator)
    images = _redressed(images, labels, generator)
    images, labels = covered(images, labels, generator)
    return developed(images, generator), guesses, labels


def _moved(
    images: Images, guesses: Guesses, labels: Labels, size: int, generator: torch.Generator
) -> Batch:
    """Turned, scaled, shifted, and half of them mirrored."""
    count = len(images)
    angle = torch.randn(count, generator=generator) * math.radians(8.0)
    scale = REACH * torch.exp(0.1 * torch.randn(count, generator=generator))
    flip = torch.where(torch.rand(count, generator=generator) < 0.5, -1.0, 1.0)
    shift = 0.05 * torch.randn(count, 2, generator=generator)
    cos, sin = scale * angle.cos(), scale * angle.sin()
    rows = [torch.stack([flip * cos, -sin, shift[:, 0]], -1)]
    rows += [torch.stack([flip * sin, cos, shift[:, 1]], -1)]
    grid = functional.affine_grid(torch.stack(rows, 1), [count, 1, size, size], align_corners=False)
    seen = functional.grid_sample(
        torch.cat([images, guesses[:, None]], dim=1), grid, align_corners=False
    )
    named = functional.grid_sample(
        labels[:, None].float(), grid, mode="nearest", align_corners=False
    )
    return seen[:, :3], seen[:, 3], named[:, 0].round().long()


def _haired(images: Images, guesses: Guesses, labels: Labels, generator: torch.Generator) -> Batch:
    """A third of them with much hair, or a hat: an ellipse around the head, behind the face.

    The guess knows it, as it knows hair of people who are not made up, of which there are many
    kinds. So the lesson is to believe what is guessed around a head.
    """
    count, _, height, width = images.shape
    hair = (labels == LABELS.index("hair")).float()
    # Hair counts more, since there is none before the face.
    head = (labels == LABELS.index("face")).float() + 3.0 * hair
    share = head / head.sum(dim=(1, 2), keepdim=True).clamp_min(1.0)
    y, x = torch.arange(height)[:, None].float(), torch.arange(width).float()

    def moments(place: Tensor) -> tuple[Tensor, Tensor]:
        mean = (share * place).sum(dim=(1, 2), keepdim=True)
        return mean, (share * (place - mean).square()).sum(dim=(1, 2), keepdim=True).sqrt()

    def between(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, generator=generator)

    (x_mean, x_spread), (y_mean, y_spread) = moments(x), moments(y)
    chosen = (between(0.0, 1.0) < 0.33) & (head.sum(dim=(1, 2), keepdim=True) > 0)
    across = (x - x_mean) / (between(1.8, 2.8) * x_spread).clamp_min(1.0)
    # Hats sit higher than heads, and long hair hangs lower.
    down = (y - y_mean - between(-0.5, 1.0) * y_spread) / (between(1.8, 3.0) * y_spread).clamp_min(
        1.0
    )
    behind = (labels == LABELS.index("background")) | (labels == LABELS.index("clothes"))
    more = chosen & behind & (across.square() + down.square() < 1.0)
    plain = torch.rand(count, 3, 1, 1, generator=generator)
    pattern = images[torch.randperm(count, generator=generator)].flip(2)
    mixed = torch.lerp(plain.expand_as(pattern), pattern, between(0.0, 0.8)[:, None])
    soft = gaussian_blur2d(more.float()[:, None], 3, (0.7, 0.7))
    labels = torch.where(more, LABELS.index("hair"), labels)
    return torch.lerp(images, mixed, soft), torch.maximum(guesses, soft[:, 0]), labels


def _redressed(images: Images, labels: Labels, generator: torch.Generator) -> Images:
    """Half of the hair and half of the clothes in any colour and pattern.

    Made-up people know few of either. What looks like none of them is not background for that.
    """
    count = len(images)
    for name in ("hair", "clothes"):
        chosen = torch.rand(count, 1, 1, 1, generator=generator) < 0.5
        part = gaussian_blur2d((labels == LABELS.index(name)).float()[:, None], 3, (0.7, 0.7))
        plain = torch.rand(count, 3, 1, 1, generator=generator)
        pattern = images[torch.randperm(count, generator=generator)].flip(2)
        share = 0.7 * torch.rand(count, 1, 1, 1, generator=generator)
        strength = 2.0 * torch.rand(count, 1, 1, 1, generator=generator)
        shaded = plain * (1.0 + strength * (images - 0.5))
        other = (share * pattern + (1.0 - share) * shaded).clamp(0.0, 1.0)
        images = torch.lerp(images, other, part * chosen)
    return images


def covered(images: Images, labels: Labels, generator: torch.Generator) -> tuple[Images, Labels]:
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
    return images, labels


def shone_through(images: Images, generator: torch.Generator) -> Images:
    """A fifth of them with a little of another picture in them, as of a lens or a reflection.

    What made-up skin, hair and rooms look like in detail is no lesson; where things are is one.
    """
    count = len(images)
    chosen = torch.rand(count, 1, 1, 1, generator=generator) < 0.2
    share = 0.25 * torch.rand(count, 1, 1, 1, generator=generator) * chosen
    return torch.lerp(images, images[torch.randperm(count, generator=generator)].flip(3), share)


def developed(images: Images, generator: torch.Generator) -> Images:
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

"""Pictures of portraits and of aligned photos."""

import io
from collections.abc import Sequence

import torch
from jaxtyping import Float
from PIL import Image, ImageDraw
from torch import Tensor

from headrecon.draw.panel import encoded_picture, picture, sheet
from headrecon.geometry.mean import mean_photo
from headrecon.types import Portrait, Stack

FIDUCIAL = (0, 220, 120)
KEYPOINT = (255, 90, 0)


def contact_sheet(
    portraits: Sequence[Portrait], size: int = 112, columns: int = 12, most: int = 144
) -> Image.Image:
    """Portraits by azimuth with what the detectors saw in them; at most `most`, evenly chosen."""
    ordered = sorted(portraits, key=lambda portrait: portrait.azimuth)
    step = max(1.0, len(ordered) / most)
    chosen = [ordered[int(index * step)] for index in range(min(most, len(ordered)))]
    labels = [f"{p.azimuth:+.0f}, {p.elevation:+.0f}, {p.roll:+.0f}" for p in chosen]
    return sheet([detections(p, size) for p in chosen], labels, columns)


def detections(portrait: Portrait, size: int) -> Image.Image:
    """A portrait with its fiducials, its keypoints and its background turned pale."""
    layers = torch.cat([portrait.image, portrait.mask[None]])
    small = torch.nn.functional.interpolate(layers[None], (size, size), mode="area")[0]
    image, mask = small[:3], small[3]
    drawn = picture(image * mask + (1 - mask) * (0.6 + 0.4 * image))
    pen = ImageDraw.Draw(drawn)
    scale = torch.tensor([size / portrait.image.shape[2], size / portrait.image.shape[1]])
    for points, color, radius in (
        (portrait.fiducials, FIDUCIAL, size / 600),
        (portrait.keypoints, KEYPOINT, size / 100),
    ):
        for x, y in (points.cpu() * scale).tolist():
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=color)
    return drawn


def thumbnail(portrait: Portrait, size: int) -> Image.Image:
    """A portrait, small."""
    small = torch.nn.functional.interpolate(portrait.image[None], (size, size), mode="area")
    return picture(small[0])


def average(stack: Stack) -> Image.Image:
    """The mean photo of a view."""
    return picture(mean_photo(stack.images))


def before_and_after(aligned: Stack, flowed: Stack) -> Image.Image:
    """Averages of a view before and after collection flow: what agrees is sharp."""
    count = len(aligned.names)
    labels = [f"{aligned.label}, {count} photos aligned", "after collection flow"]
    return sheet([average(aligned), average(flowed)], labels)


def members(stack: Stack, most: int = 12, columns: int = 6) -> Image.Image:
    """Some photos of a view on its canvas, evenly chosen."""
    step = max(1.0, len(stack.names) / most)
    chosen = [int(index * step) for index in range(min(most, len(stack.names)))]
    return sheet(
        [picture(stack.images[index].float()) for index in chosen],
        [stack.names[index].rpartition("/")[2] for index in chosen],
        columns,
    )


def flicker(stack: Stack, most: int = 24, size: int = 192, milliseconds: int = 120) -> bytes:
    """Flowed photos one after the other, as a GIF: what stands still agrees, what jumps does not.

    Those that fit the others worst come last.
    """
    order = stack.belief.argsort(descending=True).tolist()
    step = max(1.0, len(order) / most)
    chosen = [order[int(index * step)] for index in range(min(most, len(order)))]
    frames = [picture(stack.images[index].float()).resize((size, size)) for index in chosen]
    file = io.BytesIO()
    frames[0].save(
        file, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0
    )
    return file.getvalue()


def flows(stack: Stack, most: int = 6) -> Image.Image:
    """Flows of some photos of a view, and the color wheel that they are to be read by."""
    step = max(1.0, len(stack.names) / most)
    chosen = [int(index * step) for index in range(min(most, len(stack.names)))]
    # The wheel's rim is the length that 99 in 100 pixels stay below; larger flows are clipped.
    lengths = stack.flows[chosen].float().norm(dim=1).flatten()
    limit = max(float(lengths.kthvalue(max(1, int(0.99 * len(lengths)))).values), 0.5)
    height = stack.flows.shape[-2]
    drawn = [flow_colors(stack.flows[index].float(), limit) for index in chosen]
    labels = [stack.names[index].rpartition("/")[2] for index in chosen]
    return sheet(
        [*drawn, flow_colors(_wheel(height) * limit, limit)], [*labels, f"rim: {limit:.1f} px"]
    )


def flow_colors(flow: Float[Tensor, "xy=2 h w"], limit: float) -> Image.Image:
    """A flow by color: direction is hue, length up to `limit` pixels is saturation."""
    x, y = flow.cpu() / limit
    length = torch.hypot(x, y).clamp(max=1.0)
    turn = torch.atan2(y, x) / (2 * torch.pi)
    # Three cosines a third of a turn apart are a smooth circle of hues.
    thirds = torch.arange(3)[:, None, None] / 3
    hue = 0.5 + 0.5 * torch.cos(2 * torch.pi * (turn - thirds))
    return encoded_picture(1 - length * (1 - hue))


def _wheel(size: int) -> Float[Tensor, "xy=2 h w"]:
    axis = torch.linspace(-1.0, 1.0, size)
    y, x = torch.meshgrid(axis, axis, indexing="ij")
    xy = torch.stack([x, y])
    return torch.where(xy.norm(dim=0) <= 1.0, xy, torch.zeros(()))

"""Pictures out of tensors, and several pictures with their labels on one sheet."""

import math
from collections.abc import Sequence

import kornia
import matplotlib
import torch
from jaxtyping import Bool, Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

PAPER = (255, 255, 255)
INK = (30, 30, 30)
MARGIN = 4


def picture(linear: Float[Tensor, "rgb=3 h w"]) -> Image.Image:
    """Linear RGB as a picture to look at: encoded as sRGB, clipped to [0, 1]."""
    return encoded_picture(kornia.color.linear_rgb_to_rgb(linear.detach().clamp(0.0, 1.0)))


def encoded_picture(colors: Float[Tensor, "rgb=3 h w"]) -> Image.Image:
    """A picture of values in [0, 1] as they are."""
    levels = (colors.detach().clamp(0.0, 1.0) * 255.0).round().to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).contiguous().cpu().numpy())


def colormapped(
    values: Float[Tensor, "h w"], mask: Bool[Tensor, "h w"], low: float, high: float, name: str
) -> Image.Image:
    """Values from `low` to `high` in the colors of a matplotlib map, paper outside the mask."""
    share = ((values.detach() - low) / max(high - low, 1e-12)).clamp(0.0, 1.0).cpu().numpy()
    colors = torch.from_numpy(matplotlib.colormaps[name](share)[..., :3]).float().permute(2, 0, 1)
    return encoded_picture(on_paper(colors, mask.cpu()))


def on_paper(
    colors: Float[Tensor, "rgb=3 h w"], mask: Bool[Tensor, "h w"]
) -> Float[Tensor, "rgb=3 h w"]:
    """The colors inside the mask, white outside."""
    return torch.where(mask, colors, torch.ones_like(colors))


def text_size(height: int) -> int:
    """Size of a label that suits a picture of that height."""
    return max(10, min(18, height // 14))


def sheet(
    pictures: Sequence[Image.Image], labels: Sequence[str], columns: int | None = None
) -> Image.Image:
    """Pictures in rows of equal cells, each with its label below; an empty label takes no room."""
    columns = max(min(columns or len(pictures), len(pictures)), 1)
    rows = math.ceil(len(pictures) / columns)
    width = max((p.width for p in pictures), default=1) + MARGIN
    height = max((p.height for p in pictures), default=1) + MARGIN
    size = text_size(height)
    font, line = ImageFont.load_default(size), size + 6 if any(labels) else 0
    board = Image.new("RGB", (columns * width + MARGIN, rows * (height + line) + MARGIN), PAPER)
    pen = ImageDraw.Draw(board)
    for index, (cell, label) in enumerate(zip(pictures, labels, strict=True)):
        x = MARGIN + index % columns * width
        y = MARGIN + index // columns * (height + line)
        board.paste(cell, (x, y))
        fitted = fit_text(label, font, width - MARGIN)
        pen.text((x + 2, y + height - MARGIN + 1), fitted, INK, font)
    return board


def stacked(pictures: Sequence[Image.Image]) -> Image.Image:
    """Pictures below each other, left-aligned."""
    board = Image.new(
        "RGB", (max(p.width for p in pictures), sum(p.height for p in pictures)), PAPER
    )
    y = 0
    for one in pictures:
        board.paste(one, (0, y))
        y += one.height
    return board


def fit_text(text: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont, width: int) -> str:
    """The text, cut with an ellipsis where it would be wider than `width` pixels."""
    if font.getlength(text) <= width:
        return text
    kept = text
    while kept and font.getlength(kept + "...") > width:
        kept = kept[:-1]
    return kept + "..."

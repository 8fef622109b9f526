"""Pictures of what is known at each pixel of a view: normals, albedo, depth, errors."""

import torch
from jaxtyping import Bool, Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from headrecon.draw.panel import (
    INK,
    PAPER,
    colormapped,
    encoded_picture,
    on_paper,
    picture,
    sheet,
    text_size,
)
from headrecon.types import DepthMap, Factors, NormalField

LAMP = (-0.4, 0.5, 0.77)
"""Direction to the lamp of shaded pictures in the view frame: from the upper left."""


def normal_colors(field: NormalField) -> Image.Image:
    """Normals by color: red grows to the right, green upward, blue to the viewer."""
    return encoded_picture(on_paper(field.normals * 0.5 + 0.5, field.mask))


def albedo(field: NormalField) -> Image.Image:
    """Albedo as if lit evenly, its brightest hundredth white."""
    inside = field.albedo[:, field.mask]
    white = float(inside.quantile(0.99)) if inside.numel() else 1.0
    return picture(on_paper(field.albedo / max(white, 1e-6), field.mask))


def shading(normals: Float[Tensor, "xyz=3 h w"], mask: Bool[Tensor, "h w"]) -> Image.Image:
    """A surface of plain plaster under one lamp and some light from everywhere."""
    lamp = torch.nn.functional.normalize(normals.new_tensor(LAMP), dim=0)
    light = 0.12 + 0.78 * torch.einsum("chw,c->hw", normals, lamp).clamp(min=0.0)
    return picture(on_paper(light.expand(3, -1, -1), mask))


def depth_normals(depth: DepthMap) -> Float[Tensor, "xyz=3 h w"]:
    """Normals of a depth map by central differences, good enough to look at."""
    z = depth.z
    z_x = torch.gradient(z, dim=1)[0]
    z_up = -torch.gradient(z, dim=0)[0]
    return torch.nn.functional.normalize(torch.stack([-z_x, -z_up, torch.ones_like(z)]), dim=0)


def shaded_depth(depth: DepthMap) -> Image.Image:
    """The depth map as a plaster relief. Its rim, where the background counts, is left out."""
    holes = torch.nn.functional.max_pool2d((~depth.mask).float()[None], 3, 1, 1)[0] > 0
    return shading(depth_normals(depth), depth.mask & ~holes)


def depth_colors(depth: DepthMap) -> Image.Image:
    """Height towards the viewer by color, with a scale in millimetres."""
    millimetres = depth.z / depth.camera.scale
    inside = millimetres[depth.mask]
    low, high = (float(inside.quantile(q)) for q in (0.01, 0.99)) if inside.numel() else (0.0, 1.0)
    return with_scale(colormapped(millimetres, depth.mask, low, high, "viridis"), low, high, "mm")


def error_map(
    error: Float[Tensor, "h w"], mask: Bool[Tensor, "h w"], high: float, unit: str
) -> Image.Image:
    """An error from 0 to `high` by color, with its scale."""
    return with_scale(colormapped(error, mask, 0.0, high, "magma"), 0.0, high, unit, "magma")


def with_scale(
    map_drawn: Image.Image, low: float, high: float, unit: str, name: str = "viridis"
) -> Image.Image:
    """A picture with its color scale to the right."""
    height, size = map_drawn.height, text_size(map_drawn.height)
    font = ImageFont.load_default(size)
    labels = (f"{high:.3g} {unit}", f"{low:.3g}")
    board = Image.new(
        "RGB", (map_drawn.width + 22 + int(max(map(font.getlength, labels))), height), PAPER
    )
    board.paste(map_drawn, (0, 0))
    ramp = torch.linspace(high, low, height)[:, None].expand(-1, 10).contiguous()
    bar = colormapped(ramp, torch.ones_like(ramp, dtype=torch.bool), low, high, name)
    board.paste(bar, (map_drawn.width + 6, 0))
    pen = ImageDraw.Draw(board)
    pen.text((map_drawn.width + 20, 0), labels[0], INK, font)
    pen.text((map_drawn.width + 20, height - size - 4), labels[1], INK, font)
    return board


def surface(factors: Factors, field: NormalField, depth: DepthMap) -> Image.Image:
    """Everything that a view's photometric stereo has found, side by side."""

    def amount(values: Float[Tensor, "h w"], unit: str) -> Image.Image:
        inside = values[field.mask]
        high = float(inside.quantile(0.98)) if inside.numel() else 1.0
        return error_map(values, field.mask, max(high, 1e-6), unit)

    drawn = {
        f"{field.label}: normals": normal_colors(field),
        "shaded normals": shading(field.normals, field.mask),
        "albedo": albedo(field),
        "shaded depth": shaded_depth(depth),
        "height": depth_colors(depth),
        f"rank-{len(factors.shape)} residual": amount(factors.residual, ""),
        "normals may be off": amount(field.deviation, "degrees"),
        "photos believed": amount(field.support, ""),
    }
    return sheet(list(drawn.values()), list(drawn), columns=4)

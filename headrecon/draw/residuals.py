"""Each photo beside the head in its light, so that the one that hurts can be found."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from PIL import Image

from headrecon.draw.panel import colormapped, on_paper, picture, sheet
from headrecon.draw.report import Link, Ranked, Ranking, Section, report
from headrecon.render.occlusion import Occlusion
from headrecon.render.relit import grey_levels, relit
from headrecon.types import HeadMesh, Stack

BRIGHTEST = 60.0
"""Grey levels at the bright end of the differences."""
_SIDE = 128
"""Of each of the three pictures, in pixels."""
_ABOUT = (
    "Each photo as it lies on its view, the head in its light, and the difference, bright from "
    f"{BRIGHTEST:.0f} grey levels on. A photo that is wrong (somebody else, a bad outline, a hand) "
    "stands out. Write name,drop into overrides.csv beside the photos and run again: only what "
    "depends on it is computed anew."
)


@dataclass(frozen=True)
class Residual:
    """How far the head is from one photo of one view."""

    name: str
    view: str
    grey_levels: float
    """Mean of |photo - render| over the pixels that show the person."""
    picture: Image.Image
    """Photo, render and difference side by side."""


def residuals(mesh: HeadMesh, stacks: Sequence[Stack]) -> Iterator[Residual]:
    """All photos of all views."""
    occlusion = Occlusion.of(mesh.vertices, mesh.faces)
    for stack in stacks:
        mask = stack.masks.mean(dim=0) > 0.5
        rendered = relit(mesh, stack.camera, stack.images, stack.masks, mask, occlusion)
        for index, name in enumerate(stack.names):
            photo, shown = stack.images[index].float(), stack.masks[index] > 0.5
            canvas = torch.zeros_like(photo)
            canvas[:, mask] = rendered[index]
            off = (grey_levels(photo[None]) - grey_levels(canvas[None]))[0].abs()
            counted = mask & shown
            drawn = (
                picture(photo),
                picture(on_paper(canvas, mask)),
                colormapped(off, counted, 0.0, BRIGHTEST, "magma"),
            )
            small = [one.resize((_SIDE, _SIDE)) for one in drawn]
            mean = float(off[counted].mean()) if bool(counted.any()) else float("nan")
            yield Residual(name, stack.label, mean, sheet(small, [""] * 3))


def residual_page(name: str, found: Sequence[Residual]) -> str:
    """The HTML of the page, the worst photo first."""
    # A photo of which nothing can be said comes after all others.
    order = [1.0 if math.isnan(one.grey_levels) else -one.grey_levels for one in found]
    ordered = sorted(zip(order, found, strict=True), key=lambda pair: pair[0])
    items = tuple(
        Ranked(
            one.picture,
            f"{one.name}, {one.view}: {one.grey_levels:.1f}",
            (f"{place:.3f}", one.view, one.name),
        )
        for place, one in ordered
    )
    ranking = Ranking(("worst first", "by view", "by name"), items)
    sections = [Section("Photos", _ABOUT, (Link("index.html", "Back to the head"), ranking))]
    return report(
        f"Residuals of {name}", f"{len(items)} photos, the head rendered into each.", sections
    )

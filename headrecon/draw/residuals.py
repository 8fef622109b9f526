"""Each photo beside the head in its light, so that the one that hurts can be found."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from jaxtyping import Bool, Float
from PIL import Image
from torch import Tensor

from headrecon.draw.panel import colormapped, on_paper, picture, sheet
from headrecon.draw.report import Link, Ranked, Ranking, Section, report

BRIGHTEST = 60.0
"""Grey levels at the bright end of the differences."""
_SIDE = 160
"""Of each of the three pictures, in pixels."""
_ABOUT = (
    "Each photo as it was found, the head through its camera in its light, and the difference, "
    f"bright from {BRIGHTEST:.0f} grey levels on. A photo that is wrong (somebody else, a bad "
    "outline, other hair, a hand) stands out. Write name,drop into overrides.csv beside the photos "
    "and run again: only what depends on it is computed anew."
)
_ORDERS = ("worst head first", "worst face first", "by view", "by name")


@dataclass(frozen=True)
class Residual:
    """How far the head is from one photo."""

    name: str
    view: str
    """The views that the photo is in, with blanks between."""
    head: float
    """Mean of |photo - render| in grey levels over the pixels that show the head."""
    face: float
    """Over those that show the face."""
    picture: Image.Image
    """Photo, render and difference side by side."""


def beside(
    photo: Float[Tensor, "rgb=3 h w"],
    rendered: Float[Tensor, "rgb=3 h w"],
    seen: Bool[Tensor, "h w"],
    error: Float[Tensor, "h w"],
    counted: Bool[Tensor, "h w"],
) -> Image.Image:
    """A photo, the head in its light where it is seen, and how far they are apart."""
    drawn = (
        picture(photo),
        picture(on_paper(rendered, seen)),
        colormapped(error, counted, 0.0, BRIGHTEST, "magma"),
    )
    return sheet([one.resize((_SIDE, _SIDE)) for one in drawn], [""] * 3)


def residual_page(name: str, found: Sequence[Residual], reasons: Mapping[str, str]) -> str:
    """The HTML of the page, the worst photo first; `reasons` is why a photo is in no view."""
    worst = sorted(found, key=lambda one: _descending(one.head))
    items = tuple(
        Ranked(
            one.picture,
            f"{one.name}, {one.view or reasons.get(one.name, '')}: {_said(one)}",
            (
                *(f"{_descending(level):.3f}" for level in (one.head, one.face)),
                *(one.view or "~", one.name),
            ),
        )
        for one in worst
    )
    sections = [
        Section("Photos", _ABOUT, (Link("index.html", "Back to the head"), Ranking(_ORDERS, items)))
    ]
    return report(
        f"Residuals of {name}", f"{len(items)} photos, the head rendered into each.", sections
    )


def _said(one: Residual) -> str:
    if math.isnan(one.head):
        return "too little to tell its light"
    return f"head {one.head:.1f}" + ("" if math.isnan(one.face) else f", face {one.face:.1f}")


def _descending(level: float) -> float:
    """A key by which what is worse comes first, and what nothing can be said of last."""
    return 1.0 if math.isnan(level) else -level

"""The page of a collection: photos by view, those left out and why, and what to add."""

import re
from collections.abc import Iterable, Mapping, Sequence

from headrecon.draw.advice import advise, side
from headrecon.draw.coverage import coverage
from headrecon.draw.photos import thumbnail
from headrecon.draw.report import (
    Contacts,
    Figure,
    Lines,
    Link,
    Section,
    Table,
    Thumbnail,
    report,
)
from headrecon.types import Collection, Portrait, Rejection, Verdict, View

_SIDE = 112
"""Of a thumbnail, in pixels."""
_TIPPED = 20.0
"""Degrees of elevation from which on a view is said to be tipped."""
_SIDES = (
    "Left and right are the person's own: a left profile shows the left ear, and the nose points "
    "to the left edge of the photo."
)
_MAP = (
    "Where the cameras stood around the head, seen from above. The person looks down the page; "
    "nearer to the centre the camera was higher, or the head bowed."
)

Judged = tuple[Portrait, Verdict]


def collection_page(
    name: str,
    collection: Collection,
    rejections: Sequence[Rejection],
    views: Sequence[View],
    reasons: Mapping[str, str],
) -> str:
    """The HTML of the page; `reasons` says of each photo that is in no view why."""
    judged = list(zip(collection.portraits, collection.verdicts, strict=True))
    used = {name for view in views for name in view.names}
    inside = [(p, verdict) for p, verdict in judged if p.name in used]
    outside = [(p, verdict) for p, verdict in judged if p.name not in used]
    plot = coverage([p for p, _ in inside], [p for p, _ in outside])
    advice = tuple(map(str, advise(collection.kept, views)))
    sections = [
        Section(
            "Coverage",
            _SIDES,
            (
                Lines(advice),
                Figure(plot, _MAP, narrowest=0),
                Link("index.html", "Back to the head"),
            ),
        ),
        *(_view(view, inside) for view in views),
        Section("Left out", "", (*_by_reason(outside, reasons), *_unseen(rejections))),
    ]
    lead = (
        f"{len(inside)} of {len(judged) + len(rejections)} photos are in views. Touch a photo for "
        "its name, pose and scores."
    )
    return report(f"Photos of {name}", lead, sections)


def _view(view: View, inside: Iterable[Judged]) -> Section:
    """The photos of a view, by azimuth."""
    names = set(view.names)
    members = sorted(
        (one for one in inside if one[0].name in names), key=lambda one: one[0].azimuth
    )
    tipped = ", from above" if view.elevation < -_TIPPED else ""
    tipped = ", from below" if view.elevation > _TIPPED else tipped
    images = len(view.names) - len(members)
    text = _begun(f"{side(view.nominal)}{tipped}: {len(members)} photos")
    text += f" and {images} mirror images." if images else "."
    thumbnails = tuple(_thumbnail(*one) for one in members)
    return Section(view.label, text, (Contacts("", thumbnails, told=False),))


def _by_reason(outside: Iterable[Judged], reasons: Mapping[str, str]) -> tuple[Contacts, ...]:
    """Photos of the same fault together, the most frequent fault first."""
    groups: dict[str, list[Thumbnail]] = {}
    for portrait, verdict in sorted(outside, key=lambda one: one[0].name):
        reason = reasons[portrait.name]
        kind = _kind(reason, reasons)
        shown = _thumbnail(portrait, verdict, *([reason] if kind != reason else []))
        groups.setdefault(kind, []).append(shown)
    ordered = sorted(groups.items(), key=lambda group: -len(group[1]))
    return tuple(
        Contacts(f"{_begun(kind)}: {len(shown)}", tuple(shown), told=True)
        for kind, shown in ordered
    )


def _kind(reason: str, names: Mapping[str, str]) -> str:
    """A reason without what is special to one photo: a number, or the name of another photo."""
    words = reason.split(" ")
    for index in range(1, len(words)):
        if " ".join(words[index:]) in names:
            return " ".join((*words[:index], "another photo"))
    return re.sub(r" \(.*\)$", "", reason)


def _begun(text: str) -> str:
    """The text with a capital letter."""
    return text[:1].upper() + text[1:]


def _unseen(rejections: Sequence[Rejection]) -> tuple[Table, ...]:
    """Photos that there is no portrait of, by reason."""
    rows = sorted((one.reason, one.name) for one in rejections)
    caption = f"{len(rows)} photos without a usable face."
    table = Table(caption, ("name", "reason"), tuple((n, why) for why, n in rows), closed=False)
    return (table,) if rows else ()


def _thumbnail(portrait: Portrait, verdict: Verdict, *lines: str) -> Thumbnail:
    """A portrait with its pose and scores."""
    pose = "azimuth {:+.0f}, elevation {:+.0f}, roll {:+.0f}".format(
        *(portrait.azimuth, portrait.elevation, portrait.roll)
    )
    scores = {
        "identity distance": verdict.identity_distance,
        "sharpness": verdict.sharpness,
        "glasses": verdict.glasses,
        "covered": verdict.covered,
    }
    told = [f"{name} {score:.2f}" for name, score in scores.items() if score == score]
    return Thumbnail(thumbnail(portrait, _SIDE), portrait.name, (*lines, pose, *told))

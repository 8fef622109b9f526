"""The files of a finished run that users and other programs rely on."""

import csv
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from PIL import Image

from headrecon.draw.collection import collection_page
from headrecon.draw.head_page import head_page
from headrecon.draw.photos import flicker
from headrecon.draw.residuals import Residual, beside, residual_page
from headrecon.draw.viewer import colored, srgb_levels
from headrecon.evaluate.held_out import PARTS, Ends, judge, sitting
from headrecon.files import write
from headrecon.mesh.export import further, glb
from headrecon.render.occlusion import Occlusion
from headrecon.render.rasterize import Scene
from headrecon.types import Atlas, HeadMesh, Reconstruction, Verdict

_SCORES = tuple(field.name for field in fields(Verdict))[3:]
"""All of a verdict but the name, whether the photo is kept, and why."""
COLUMNS = (
    *("name", "kept", "reason", "view", "azimuth", "elevation", "roll"),
    *("azimuth_deviation", "elevation_deviation", "roll_deviation", "face_score", "face_size"),
    *(*_SCORES, "fit", "grey_levels", "face_grey_levels"),
)
NO_VIEW = "turned or tipped so that it is in no view with enough photos"


def write_outputs(
    run_dir: Path,
    name: str,
    found: Reconstruction,
    atlas: Atlas,
    formats: Sequence[str],
    metrics: Mapping[str, float | int],
    pictures: Mapping[str, Image.Image],
    ends: Ends,
) -> None:
    """Mesh, photo table, numbers and report of a run, in the places that README names.

    Each file appears whole or not at all. `ends` is where a head ends in a photo.
    """
    write_mesh(run_dir / "mesh", found)
    write_textured(run_dir / "mesh", found, atlas, formats)
    compared = tuple(residuals(found, ends))
    table = photo_table(found, compared)
    reasons = {row["name"]: row["reason"] for row in table}
    write(run_dir / "photos.csv", as_csv(table))
    write(run_dir / "metrics.json", json.dumps(dict(sorted(metrics.items())), indent=1) + "\n")
    page = head_page(name, found, table, metrics, pictures)
    write(run_dir / "report" / "index.html", page)
    write(run_dir / "report" / "residuals.html", residual_page(name, compared, reasons))
    for stack in found.stacks:
        write(run_dir / "report" / "flicker" / f"{stack.label}.gif", flicker(stack))
    write(
        run_dir / "report" / "photos.html",
        collection_page(name, found.collection, found.rejections, found.views, reasons),
    )


def write_mesh(folder: Path, found: Reconstruction) -> None:
    """`head.ply` and `landmarks68.json`, both in millimetres.

    The vertices of the PLY say what they rest on: `support` in photos, `source` as an index into
    `SOURCES`, and `deviation` in millimetres.
    """
    mesh, scale = _life_size(found), found.scale
    shown = colored(mesh, srgb_levels(mesh))
    shown.vertex_attributes["support"] = mesh.support.cpu().numpy()
    shown.vertex_attributes["source"] = found.evidence.source.cpu().numpy().astype(np.uint8)
    shown.vertex_attributes["deviation"] = scale * found.evidence.deviation.cpu().numpy()
    ply = shown.export(file_type="ply")
    assert isinstance(ply, bytes)
    write(folder / "head.ply", ply)
    write(folder / "landmarks68.json", json.dumps({"points": mesh.landmarks.cpu().tolist()}))


def write_textured(
    folder: Path, found: Reconstruction, atlas: Atlas, formats: Sequence[str]
) -> None:
    """`head.glb` in metres with its texture, and the head in further formats."""
    mesh = _life_size(found)
    write(folder / "head.glb", glb(mesh, atlas))
    for name in formats:
        for file, content in further(mesh, atlas, name).items():
            write(folder / file, content)


def _life_size(found: Reconstruction) -> HeadMesh:
    """The mesh in millimetres of the head."""
    mesh, scale = found.mesh, found.scale
    return replace(mesh, vertices=scale * mesh.vertices, landmarks=scale * mesh.landmarks)


def residuals(found: Reconstruction, ends: Ends) -> Iterator[Residual]:
    """The head through the refined camera of each photo of use, beside the photo as it was found.

    The measure is that for photos that were held out, but the head was made of these, so it
    flatters; and all of the head tells the light, which in a profile the face alone would not.
    """
    mesh, views_of = found.mesh, _views_of(found)
    occlusion = Occlusion.of(mesh.vertices, mesh.faces)
    scene = Scene(mesh.vertices, mesh.faces)
    parts = Scene(found.fitted.vertices, found.fitted.faces)
    for portrait, camera in zip(found.collection.kept, found.cameras, strict=True):
        photo = sitting(portrait, camera, found.fitted, ends, parts)
        one = judge(mesh, occlusion, camera, photo, scene, PARTS)
        head, face = (one.numbers[f"{part}_grey_levels"] for part in ("head", "face"))
        drawn = beside(portrait.image, one.rendered, one.seen, one.error, photo.head)
        yield Residual(portrait.name, views_of.get(portrait.name, ""), head, face, drawn)


def _views_of(found: Reconstruction) -> dict[str, str]:
    """The views of each photo that is in any, with blanks between."""
    names = dict.fromkeys(name for view in found.views for name in view.names)
    return {
        name: " ".join(view.label for view in found.views if name in view.names) for name in names
    }


def photo_table(found: Reconstruction, compared: Sequence[Residual]) -> list[dict[str, str]]:
    """A row for each photo, by name: whether a view is made of it, and if not, why not.

    A photo in several views has all of them in its row. Mirror images are no photos.
    """
    views_of = _views_of(found)
    off = {one.name: (one.head, one.face) for one in compared}
    rows = []
    for portrait, verdict in zip(
        found.collection.portraits, found.collection.verdicts, strict=True
    ):
        view = views_of.get(portrait.name, "")
        reason = verdict.reason or ("" if view else NO_VIEW)
        angles = (portrait.azimuth, portrait.elevation, portrait.roll, *portrait.deviation.tolist())
        numbers = [f"{angle:.2f}" for angle in angles]
        scores = [f"{portrait.face_score:.3f}", f"{portrait.face_size:.1f}"]
        own = [getattr(verdict, score) for score in _SCORES]
        own += [_fit(portrait.name, found), *off.get(portrait.name, (math.nan, math.nan))]
        scores += ["" if score != score else f"{score:.3f}" for score in own]
        kept = "true" if view else "false"
        row = (portrait.name, kept, reason, view, *numbers, *scores)
        rows.append(dict(zip(COLUMNS, row, strict=True)))
    for rejected in found.rejections:
        row = (rejected.name, "false", rejected.reason, *[""] * (len(COLUMNS) - 3))
        rows.append(dict(zip(COLUMNS, row, strict=True)))
    return sorted(rows, key=lambda row: row["name"])


def _fit(name: str, found: Reconstruction) -> float:
    """How well a photo fits the others of its views, in (0, 1]; NaN if it is in none."""
    fits = [
        float(stack.belief[stack.names.index(name)])
        for stack in found.stacks
        if name in stack.names
    ]
    return min(fits, default=float("nan"))


def as_csv(rows: list[dict[str, str]]) -> str:
    """The photo table as comma-separated values."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()

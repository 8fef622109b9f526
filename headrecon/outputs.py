"""The files of a finished run that users and other programs rely on."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
from PIL import Image

from headrecon.draw.collection import collection_page
from headrecon.draw.evidence import MOST_OFF
from headrecon.draw.photos import flicker
from headrecon.draw.report import Figure, Frame, Link, Section, Table, report
from headrecon.draw.residuals import Residual, residual_page, residuals
from headrecon.draw.viewer import colored, srgb_levels, turnable_page
from headrecon.files import write
from headrecon.mesh.export import further, glb
from headrecon.types import Atlas, HeadMesh, Reconstruction, Verdict

_SCORES = tuple(field.name for field in fields(Verdict))[3:]
"""All of a verdict but the name, whether the photo is kept, and why."""
COLUMNS = (
    *("name", "kept", "reason", "view", "azimuth", "elevation", "roll"),
    *("azimuth_deviation", "elevation_deviation", "roll_deviation", "face_score", "face_size"),
    *(*_SCORES, "fit", "grey_levels"),
)

CURVES = "How they came about: tensorboard --logdir tensorboard, in the folder of the run."
EVIDENCE = "Blue rests on photos, orange on outlines only; grey is filled by the template."
NO_VIEW = "turned or tipped so that it is in no view with enough photos"


def write_outputs(
    run_dir: Path,
    name: str,
    found: Reconstruction,
    atlas: Atlas,
    formats: Sequence[str],
    metrics: Mapping[str, float | int],
    pictures: Mapping[str, Image.Image],
) -> None:
    """Mesh, photo table, numbers and report of a run, in the places that README names.

    Each file appears whole or not at all.
    """
    write_mesh(run_dir / "mesh", found)
    write_textured(run_dir / "mesh", found, atlas, formats)
    compared = tuple(residuals(found.mesh, found.stacks))
    table = photo_table(found, compared)
    write(run_dir / "photos.csv", as_csv(table))
    write(run_dir / "metrics.json", json.dumps(dict(sorted(metrics.items())), indent=1) + "\n")
    page = report_page(name, found, table, metrics, pictures)
    write(run_dir / "report" / "index.html", page)
    write(run_dir / "report" / "residuals.html", residual_page(name, compared))
    for stack in found.stacks:
        write(run_dir / "report" / "flicker" / f"{stack.label}.gif", flicker(stack))
    reasons = {row["name"]: row["reason"] for row in table}
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


def photo_table(found: Reconstruction, compared: Sequence[Residual]) -> list[dict[str, str]]:
    """A row for each photo, by name: whether a view is made of it, and if not, why not.

    A photo in several views has all of them in its row, with blanks between, and the worst of its
    residuals. Mirror images are no photos.
    """
    views_of: dict[str, list[str]] = {}
    for view in found.views:
        for name in view.names:
            views_of.setdefault(name, []).append(view.label)
    off: dict[str, float] = {}
    for one in compared:
        off[one.name] = max(one.grey_levels, off.get(one.name, 0.0))
    rows = []
    for portrait, verdict in zip(
        found.collection.portraits, found.collection.verdicts, strict=True
    ):
        view = " ".join(views_of.get(portrait.name, []))
        reason = verdict.reason or ("" if view else NO_VIEW)
        angles = (portrait.azimuth, portrait.elevation, portrait.roll, *portrait.deviation.tolist())
        numbers = [f"{angle:.2f}" for angle in angles]
        scores = [f"{portrait.face_score:.3f}", f"{portrait.face_size:.1f}"]
        own = [getattr(verdict, score) for score in _SCORES]
        own += [_fit(portrait.name, found), off.get(portrait.name, float("nan"))]
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


def report_page(
    name: str,
    found: Reconstruction,
    table: list[dict[str, str]],
    metrics: Mapping[str, float | int],
    pictures: Mapping[str, Image.Image],
) -> str:
    """The HTML of the report."""

    def figures(ending: str, caption: str) -> tuple[Figure, ...]:
        labels = [view.label for view in found.views]
        tags = [(label, f"{label}/{ending}") for label in labels]
        return tuple(Figure(pictures[t], f"{la}: {caption}") for la, t in tags if t in pictures)

    def single(tag: str, caption: str) -> tuple[Figure, ...]:
        return (Figure(pictures[tag], caption),) if tag in pictures else ()

    kept = [row for row in table if row["kept"] == "true"]
    dropped = [row for row in table if row["kept"] == "false"]
    lead = (
        f"{len(kept)} of {len(table)} photos in {len(found.views)} views; "
        f"{len(found.mesh.vertices)} vertices, {len(found.mesh.faces)} triangles."
    )
    viewer = Frame(turnable_page(found.mesh), "Drag to turn, scroll or pinch to zoom.")
    sections = [
        Section(
            "Head",
            "",
            (
                *single("mesh/sides", "From five sides: shape, and shape with albedo."),
                viewer,
                *single("mesh/sources", EVIDENCE),
                *single(
                    "mesh/deviation", f"May be off by: 0 (dark) to {MOST_OFF:.0f} mm (bright)."
                ),
            ),
        ),
        Section(
            "Photos",
            "Green: fiducials; orange: key points; pale: not the person. Below each: azimuth, "
            "elevation and roll in degrees.",
            (
                Link("photos.html", "All photos by view, those left out, and what to add"),
                *single("photos/portraits", "Portraits by azimuth."),
                _rows(f"{len(dropped)} photos dropped", dropped, ("name", "reason")),
                _rows(
                    f"{len(kept)} photos kept",
                    kept,
                    ("name", "view", "azimuth", "elevation", "roll"),
                ),
            ),
        ),
        Section(
            "Averages",
            "The sharper the average after collection flow, the better the photos agree.",
            (
                *figures("average", "the mean photo before and after collection flow."),
                *(
                    Link(f"flicker/{stack.label}.gif", f"{stack.label}: its photos after flow")
                    for stack in found.stacks
                ),
            ),
        ),
        Section(
            "Normals and depth",
            "",
            (
                *single("template/sides", "The template, bent to the person before all this."),
                *figures(
                    "surface",
                    "normals, albedo, depth, what is left unexplained, and how sure it is.",
                ),
            ),
        ),
        Section("Flow", "", figures("flows", "where photos were sampled; color is direction.")),
        Section(
            "Rendered into the photos",
            "On photos that the head was made from, so it flatters.",
            (
                Link("residuals.html", "Every photo beside the head in its light"),
                *single("mesh/rendered", "Average photos, and the mesh in their light."),
                *single("mesh/errors", "Mean difference in grey levels, 0 to 255."),
            ),
        ),
        Section("Numbers", CURVES, (_numbers(metrics),)),
    ]
    return report(f"Head of {name}", lead, sections)


def _rows(caption: str, rows: list[dict[str, str]], columns: tuple[str, ...]) -> Table:
    return Table(caption, columns, tuple(tuple(r[c] for c in columns) for r in rows), closed=True)


def _numbers(metrics: Mapping[str, float | int]) -> Table:
    rows = tuple((name, f"{value:.4g}") for name, value in sorted(metrics.items()))
    return Table("Units are part of the names.", ("number", "value"), rows, closed=False)

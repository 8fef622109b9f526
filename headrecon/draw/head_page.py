"""The page that a run ends with."""

from collections.abc import Mapping

from PIL import Image

from headrecon.draw.evidence import MOST_OFF
from headrecon.draw.report import Figure, Frame, Link, Section, Table, report
from headrecon.draw.viewer import turnable_page
from headrecon.types import Reconstruction

CURVES = "How they came about: tensorboard --logdir tensorboard, in the folder of the run."
EVIDENCE = "Blue rests on photos, orange on outlines only; grey is filled by the template."


def head_page(
    name: str,
    found: Reconstruction,
    table: list[dict[str, str]],
    metrics: Mapping[str, float | int],
    pictures: Mapping[str, Image.Image],
) -> str:
    """The HTML; `table` has a row for each photo, by the names of its columns."""

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
                *single("mesh/photos", "Some photos, the mesh in their light, and the difference."),
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

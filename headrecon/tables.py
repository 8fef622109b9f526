"""Tables and curves of many measurements: pure functions of records."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import t as student


@dataclass(frozen=True)
class Record:
    """One measured number."""

    row: str
    """The method."""
    identity: int
    seed: int
    curve: str
    """What was varied; empty for the base case."""
    value: str
    """Its value."""
    measure: str
    number: float


_FEWEST = 3
"""Cases that an interval needs; that of two is twelve standard errors wide and says nothing."""
MEAN_HEAD = "mean_head"
FACE = "face_median_mm"
"""What rows are told apart by first of all."""
ACCURACY = (
    *(
        "face_median_mm",
        "face_median_of_mean_head",
        "face_mean_mm",
        "face_p90_mm",
        "face_from_mesh_median_mm",
    ),
    *("face_within_2mm_share", "face_normal_degrees", "landmarks_mean_mm"),
    *("head_median_mm", "head_mean_mm", "head_p90_mm", "head_from_mesh_median_mm"),
    *("head_within_5mm_share", "ears_median_mm", "neck_median_mm", "hair_median_mm"),
    *("top_median_mm", "back_median_mm", "seen_covered_share"),
    *("views/normal_degrees", "views/depth_mm", "face_median_after_icp_mm"),
    *("alignment_scale", "alignment_shift_mm", "alignment_turn_degrees"),
)
"""Columns of Table A; all other measures are in the CSV."""
HEALTH = (
    *("photos/clustered_right_share", "photos/azimuth_mae_degrees"),
    *("photos/mask_iou_median_share", "photos/mask_iou_mean_share"),
    "photos/head_iou_mean_share",
    *("fitted/face_median_mm", "fitted/head_median_mm", "fitted/ears_median_mm"),
    *("views/track_error_aligned_px", "views/track_error_flowed_px"),
    *("views/best_linear_normal_degrees", "views/normal_degrees", "views/factors_residual_share"),
    *("photos/strangers_left_out_share", "photos/copies_left_out_share"),
    *("photos/left_out_rightly_share", "photos/left_out_share"),
)


def as_csv(records: Iterable[Record]) -> str:
    """All records, one a line."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [field.name for field in fields(Record)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(asdict(record) for record in records)
    return text.getvalue()


def table(records: Sequence[Record], measures: Sequence[str], rows: Sequence[str]) -> str:
    """A Markdown table with a line for each measure and a column for each row of `rows`.

    Each entry is the mean over the cases (persons and seeds) with its 95 % confidence interval by
    Student's t; fewer than three cases have none.
    """
    lines = _header("", rows)
    for measure in measures:
        cells = [_entry(_numbers(records, row, measure)) for row in rows]
        if any(cells):
            lines.append(f"| {measure.replace('_', ' ')} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def by_place(records: Sequence[Record], places: str, row: str) -> str:
    """A Markdown table of the measures `PLACE/...` of all places whose name matches a pattern."""
    split = [r.measure.rpartition("/") for r in records if r.row == row and not r.curve]
    found = {(place, name) for place, _, name in split if re.fullmatch(places, place)}
    measures = sorted({name for _, name in found})
    lines = _header("", measures)
    for place in sorted({place for place, _ in found}, key=_rank):
        cells = [_entry(_numbers(records, row, f"{place}/{name}")) for name in measures]
        label = place.rpartition("/")[2]
        lines.append(f"| {_words(label)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def beside_the_mean_head(records: Sequence[Record], measure: str) -> list[Record]:
    """The records, and for each the share that its error has of the mean head's in the same case.

    A method that has learnt nothing from the photos has 1.00.
    """

    def case(record: Record) -> tuple[int, int, str, str]:
        return record.identity, record.seed, record.curve, record.value

    mine = [r for r in records if r.measure == measure]
    known = {case(r): r.number for r in mine if r.row == MEAN_HEAD}
    name = f"{measure.removesuffix('_mm')}_of_mean_head"
    shares = [
        replace(r, measure=name, number=r.number / known[case(r)])
        for r in mine
        if known.get(case(r), 0.0) > 0.0
    ]
    return [*records, *shares]


def differences(
    records: Sequence[Record], measures: Sequence[str], rows: Sequence[str], than: str
) -> str:
    """A Markdown table of how much larger each measure is in other rows than in the row `than`.

    Each entry is the mean of the differences case by case, with its 95 % interval by Student's t.
    What differs between persons, and would hide what a step is worth, cancels. Where the interval
    does not hold 0, the entry is bold.
    """
    others = [row for row in rows if row != than]
    lines = _header(f"minus {_words(than)}", others)
    for measure in measures:
        cells = [_difference(_by_case(records, r, measure, than)) for r in others]
        if any(cells):
            lines.append(f"| {_words(measure)} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def _by_case(records: Sequence[Record], row: str, measure: str, than: str) -> list[float]:
    """What the measure is larger by in one row than in another, in each case that has both."""
    of_rows = [
        {(r.identity, r.seed): r.number for r in records if (r.row, r.measure, r.curve) == wanted}
        for wanted in ((row, measure, ""), (than, measure, ""))
    ]
    one, other = of_rows
    found = [one[case] - other[case] for case in sorted(one.keys() & other.keys())]
    return [number for number in found if np.isfinite(number)]


def _difference(numbers: list[float]) -> str:
    """Mean and interval, bold if 0 is not in it; empty if nothing could be compared."""
    entry = _entry(numbers)
    apart = len(numbers) >= _FEWEST and abs(float(np.mean(numbers))) > _interval(numbers)
    return f"**{entry}**" if apart else entry


def per_subject(records: Sequence[Record], measure: str, rows: Sequence[str]) -> str:
    """A Markdown table of one measure, with a line for each person and collection."""
    lines = _header("person, collection", rows)
    for identity, seed in sorted({(r.identity, r.seed) for r in records if not r.curve}):
        mine = [r for r in records if (r.identity, r.seed) == (identity, seed)]
        cells = [_entry(_numbers(mine, row, measure)) for row in rows]
        lines.append(f"| {identity}, {seed} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def bars(records: Sequence[Record], measure: str, rows: Sequence[str]) -> Figure:
    """The measure of each row: its mean with the 95 % interval, and a dot for each case."""
    figure = Figure(figsize=(6.0, 0.4 * len(rows) + 1.2), layout="constrained")
    axes = figure.subplots()
    for place, row in enumerate(rows):
        numbers = _numbers(records, row, measure)
        if numbers:
            axes.barh(place, float(np.mean(numbers)), xerr=_interval(numbers), color="0.8")
            axes.plot(numbers, [place] * len(numbers), "o", color="tab:blue", markersize=4.0)
    axes.set_yticks(range(len(rows)), [_words(row) for row in rows])
    axes.invert_yaxis()
    axes.set_xlabel(_words(measure))
    return figure


def curve(records: Sequence[Record], name: str, measure: str, rows: Sequence[str]) -> Figure:
    """The measure against what was varied, with a line for each row; bars are 95 % intervals."""
    figure = Figure(figsize=(6.0, 4.0), layout="constrained")
    axes = figure.subplots()
    values = sorted({r.value for r in records if r.curve == name}, key=_rank)
    for row in rows:
        groups = [_numbers(records, row, measure, name, value) for value in values]
        present = [k for k, group in enumerate(groups) if group]
        means = [float(np.mean(groups[k])) for k in present]
        bars = [_interval(groups[k]) for k in present]
        axes.errorbar(present, means, bars, label=_words(row), marker="o", capsize=3.0)
    axes.set_xticks(range(len(values)), values)
    axes.set_xlabel(_words(name))
    axes.set_ylabel(_words(measure))
    axes.set_ylim(bottom=0.0)
    axes.legend()
    return figure


def _words(name: str) -> str:
    """A name as people read it."""
    return name.replace("_", " ")


def _header(corner: str, columns: Sequence[str]) -> list[str]:
    """The first two lines of a Markdown table whose numbers stand to the right."""
    titles = " | ".join(_words(column) for column in columns)
    return [f"| {corner} | {titles} |", "|---|" + "---:|" * len(columns)]


def _numbers(
    records: Sequence[Record], row: str, measure: str, curve: str = "", value: str = ""
) -> list[float]:
    """What was measured so, without what could not be."""
    wanted = (row, measure, curve, value)
    chosen = [r.number for r in records if (r.row, r.measure, r.curve, r.value) == wanted]
    return [number for number in chosen if np.isfinite(number)]


def _entry(numbers: list[float]) -> str:
    """Mean and interval; empty if nothing could be measured."""
    if not numbers:
        return ""
    mean = f"{np.mean(numbers):.2f}"
    return mean if len(numbers) < _FEWEST else f"{mean} ± {_interval(numbers):.2f}"


def _interval(numbers: list[float]) -> float:
    """Half of the 95 % interval of the mean; 0 for too few numbers, which have none."""
    count = len(numbers)
    if count < _FEWEST:
        return 0.0
    return float(student.ppf(0.975, count - 1) * np.std(numbers, ddof=1) / np.sqrt(count))


def _rank(value: str) -> tuple[float, str]:
    """By the number at the end, all else by name."""
    number = re.search(r"[-+]?\d+(\.\d+)?$", value)
    return (float(number[0]) if number else float("inf")), value

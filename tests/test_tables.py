import csv
import io

import numpy as np
import pytest
from scipy.stats import t as student

from headrecon.tables import (
    Record,
    as_csv,
    bars,
    beside_the_mean_head,
    by_place,
    curve,
    differences,
    per_subject,
    table,
)

FACE = "face_median_mm"


def record(row: str, number: float, identity: int = 1, measure: str = FACE, **where) -> Record:
    return Record(row, identity, 0, where.get("curve", ""), where.get("value", ""), measure, number)


MANY = [
    *(record("mean_head", number, who) for who, number in enumerate([1.0, 1.2, 1.1])),
    *(record("full", number, who) for who, number in enumerate([0.5, 0.9, 0.8])),
    record("full", 7.0, 0, curve="photos", value="25"),
    record("full", 5.0, 0, curve="photos", value="100"),
    record("full", float("nan"), 0, "ears_median_mm"),
]


def test_entries_are_means_with_the_interval_of_student_s_t():
    entry = table(MANY, [FACE], ["full"]).splitlines()[2].strip("| ").split(" | ")[1]
    half = student.interval(0.95, 2, 0.0, np.std([0.5, 0.9, 0.8], ddof=1) / 3**0.5)[1]
    assert entry == f"0.73 ± {half:.2f}"


def test_points_of_curves_are_no_base_cases():
    assert "7.00" not in table(MANY, [FACE], ["full"])


def test_two_cases_are_too_few_for_an_interval():
    assert "±" not in table(MANY[3:5], [FACE], ["full"])


def test_a_single_case_has_no_interval_and_what_was_not_measured_is_left_out():
    text = table([record("full", 0.5), MANY[-1]], [FACE, "ears_median_mm"], ["mean_head", "full"])
    assert text.splitlines()[2:] == ["| face median mm |  | 0.50 |"]


def test_errors_stand_beside_those_of_the_mean_head_of_the_same_person():
    found = [r for r in beside_the_mean_head(MANY, FACE) if r.measure == "face_median_of_mean_head"]
    shares = {(r.row, r.identity): r.number for r in found}
    assert shares["full", 1] == pytest.approx(0.75)
    assert shares["mean_head", 2] == 1.0
    # The curve has no mean head to stand beside.
    assert len(found) == 6


def test_rows_are_compared_case_by_case():
    # What persons differ by is ten times what the rows do, and cancels.
    people = [1.0, 2.0, 3.0]
    records = [
        *(record("full", base, who) for who, base in enumerate(people)),
        *(record("without", base + 0.1, who) for who, base in enumerate(people)),
        *(
            record("mixed", base + off, who)
            for who, (base, off) in enumerate(zip(people, (1, -1, 0.1), strict=True))
        ),
        # Somebody whom the full method was not tried on.
        record("without", 9.0, 7),
    ]
    header, _, line = differences(
        records, [FACE], ["full", "without", "mixed"], "full"
    ).splitlines()
    assert header == "| minus full | without | mixed |"
    half = student.interval(0.95, 2, 0.0, np.std([1.0, -1.0, 0.1], ddof=1) / 3**0.5)[1]
    assert line == f"| face median mm | **0.10 ± 0.00** | 0.03 ± {half:.2f} |"


def test_every_person_has_a_line():
    lines = per_subject(MANY, FACE, ["mean_head", "full"]).splitlines()
    assert lines[2:] == [
        "| 0, 0 | 1.00 | 0.50 |",
        "| 1, 0 | 1.20 | 0.90 |",
        "| 2, 0 | 1.10 | 0.80 |",
    ]


def test_places_are_lines_in_the_order_of_their_numbers():
    records = [
        record("full", number, measure=f"view{view}/{name}")
        for view, number in (("+00", 3.0), ("-90", 9.0), ("+30", 4.0))
        for name in ("depth_mm", "normal_degrees")
    ]
    lines = by_place([*records, *MANY], r"view[-+]\d+", "full").splitlines()
    assert lines[0] == "|  | depth mm | normal degrees |"
    assert [line.split(" | ")[0].strip("| ") for line in lines[2:]] == [
        *("view-90", "view+00", "view+30")
    ]


def test_the_csv_holds_every_number():
    rows = list(csv.DictReader(io.StringIO(as_csv(MANY))))
    assert len(rows) == len(MANY)
    assert rows[6] == {
        **{"row": "full", "identity": "0", "seed": "0", "curve": "photos", "value": "25"},
        **{"measure": FACE, "number": "7.0"},
    }


def test_curves_run_along_numbers_in_their_order_and_bars_have_every_row():
    [axes] = curve(MANY, "photos", FACE, ["full", "mean_head"]).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["25", "100"]
    assert np.asarray(axes.get_lines()[0].get_ydata()).tolist() == [7.0, 5.0]
    [axes] = bars(MANY, FACE, ["mean_head", "full"]).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["mean head", "full"]
    means = [float(np.asarray(line.get_xdata()).mean()) for line in axes.get_lines()]
    assert means[0] == pytest.approx(1.1)

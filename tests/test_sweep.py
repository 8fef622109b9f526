import json
from pathlib import Path

import numpy as np

from headrecon.sweep import finished, plot, table


def run(folder: Path, name: str, **metrics: float) -> None:
    (folder / name).mkdir()
    numbers = {key.replace("__", "/"): value for key, value in metrics.items()}
    (folder / name / "metrics.json").write_text(json.dumps(numbers))


def test_runs_stand_in_the_order_of_their_numbers_beside_what_differs(tmp_path: Path):
    for count, error in ((11, 0.5), (5, 0.7), (7, 0.6)):
        name = f"+x.y=1,cluster.count={count}"
        run(tmp_path, name, truth__result_face_median_mm=error, photos__kept_count=90.0)
    run(tmp_path, "artifacts", photos__kept_count=1.0)
    runs = finished(tmp_path)
    assert [one.settings["cluster.count"] for one in runs] == ["5", "7", "11"]
    assert table(runs).splitlines() == [
        "| cluster.count | result face median mm | kept count |",
        "|---|---:|---:|",
        "| 5 | 0.7 | 90 |",
        "| 7 | 0.6 | 90 |",
        "| 11 | 0.5 | 90 |",
    ]
    shown = [axes for axes in plot(runs).axes if axes.lines]
    assert [np.asarray(axes.lines[0].get_ydata()).tolist() for axes in shown] == [
        [0.7, 0.6, 0.5],
        [90.0] * 3,
    ]


def test_a_number_that_a_run_lacks_is_left_empty(tmp_path: Path):
    run(tmp_path, "preset=fast", photos__kept_count=9.0)
    run(tmp_path, "preset=paper", mesh__deviation_median_mm=2.5)
    assert table(finished(tmp_path)).splitlines()[2:] == [
        "| fast |  | 9 |",
        "| paper | 2.5 |  |",
    ]


def test_a_folder_without_finished_runs_has_none(tmp_path: Path):
    (tmp_path / "cluster.count=5").mkdir()
    assert finished(tmp_path) == []

from pathlib import Path

import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headrecon.monitor import Monitor
from headrecon.silent import Silent
from headrecon.types import SOURCES, CompleteHead, Refinement, Rejection, View
from tests import artifacts

pytestmark = pytest.mark.filterwarnings(
    # Inside tensorboard, on reading event files.
    "ignore::DeprecationWarning:tensorboard.*"
)


def tell(folder: Path) -> Monitor:
    """A run's whole story, written down."""
    monitor = Monitor(folder)
    told(monitor)
    monitor.finish({"cluster.count": 7, "preset": "fast"})
    monitor.close()
    return monitor


def told(monitor: Monitor) -> None:
    """A run's whole story."""
    stack, mesh = artifacts.stack(), artifacts.head_mesh()
    view = View("view+30", 30.0, 20.0, -3.0, artifacts.NAMES)
    monitor.collection(artifacts.collection(), [Rejection("x", "no face")], [view])
    monitor.flow(artifacts.stack(shift=2), stack)
    monitor.surface(artifacts.factors(), artifacts.normal_field(), artifacts.depth_map())
    losses, norms = torch.arange(24.0).reshape(3, 8), torch.arange(6.0).reshape(3, 2)
    errors = torch.tensor([[[9.0, 8.0], [9.5, 9.0]], [[8.0, 7.0], [9.0, 9.25]]])
    # A mirror image of the first has its camera after all others.
    whole = artifacts.reconstruction()
    cameras = (*whole.cameras, artifacts.PHOTOGRAPHER)
    for epoch, steps in enumerate((0, 2, 3)):
        monitor.refinement(
            Refinement(
                *(mesh, cameras, mesh.vertices, epoch),
                *(losses[:steps], norms[:steps], 0.1 * norms[:steps], errors[:epoch]),
            ),
            [stack],
            whole.collection.kept,
        )
    monitor.complete(CompleteHead(whole.mesh, whole.evidence), whole.scale)


def test_curves_pictures_and_the_mesh_can_be_read_back(tmp_path: Path) -> None:
    monitor = tell(tmp_path)
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    photometric = [(e.step, e.value) for e in events.Scalars("refine/photometric_loss")]
    assert photometric == [(0, 0.0), (1, 8.0), (2, 16.0)]
    cameras = [e.value for e in events.Scalars("refine/camera_gradient_norm")]
    assert cameras == [1.0, 3.0, 5.0]
    rates = [e.value for e in events.Scalars("refine/vertex_learning_rate")]
    assert rates == pytest.approx([0.0, 0.2, 0.4])
    for photos, expected in {"used": [9.0, 8.0, 8.0], "kept_aside": [9.5, 9.0, 9.0]}.items():
        curve = events.Scalars(f"mesh/reprojection_on_photos_{photos}_grey_levels")
        # The second epoch was taken back; the final number beside the settings follows.
        assert [(e.step, e.value) for e in curve[:3]] == list(enumerate(expected))
    assert {"view+30/average", "view+30/surface", "mesh/sides"} <= set(events.Tags()["images"])
    assert {"mesh/sources", "mesh/deviation"} <= set(events.Tags()["images"])
    assert [one.step for one in events.Images("mesh/photos")] == [0, 1, 2]
    assert any(tag.startswith("mesh/head") for tag in events.Tags()["tensors"])
    assert set(events.Tags()["images"]) == set(monitor.pictures)


def test_a_run_that_is_started_again_does_not_draw_its_curves_twice(tmp_path: Path) -> None:
    tell(tmp_path)
    count = len(list(tmp_path.iterdir()))
    tell(tmp_path)
    assert len(list(tmp_path.iterdir())) == count
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert len(events.Scalars("view+30/reprojection_grey_levels")) == 3


def test_numbers_are_kept_for_the_metrics_file(tmp_path: Path) -> None:
    metrics = tell(tmp_path).metrics
    assert metrics["photos/found_count"] == 9
    assert metrics["mesh/reprojection_on_photos_used_before_grey_levels"] == 9.0
    assert metrics["mesh/reprojection_on_photos_used_grey_levels"] == 8.0
    assert metrics["photos/kept_count"] == 6
    assert metrics["view+30/flow_mean_px"] == pytest.approx(0.5**0.5)
    aligned, flowed = (
        metrics[f"view+30/average_gradient_{name}_per_px"] for name in ("aligned", "flowed")
    )
    assert flowed > aligned
    shares = [metrics[f"mesh/area_from_{name}_share"] for name in SOURCES]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.02)
    assert 1.0 < metrics["mesh/deviation_median_mm"] < 2.1


def test_what_to_add_is_said_once_for_each_side_that_lacks_photos(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    tell(tmp_path)
    lines = [line for line in caplog.messages if line.startswith("to add: ")]
    assert len(lines) == 8
    assert "to add: left profile: 0 photos, add about 20" in lines
    events = EventAccumulator(str(tmp_path))
    events.Reload()
    [text] = events.Tensors("photos/advice/text_summary")
    assert b"- left profile: 0 photos" in text.tensor_proto.string_val[0]
    assert "photos/coverage" in events.Tags()["images"]


def test_photos_in_two_views_and_mirror_images_are_counted_once(tmp_path: Path) -> None:
    monitor = Monitor(tmp_path)
    names = (*artifacts.NAMES, "photo 0.jpg (mirrored)")
    views = [View("view+30", 30.0, 20.0, -3.0, names), View("view+00", 0.0, 9.0, -3.0, names)]
    monitor.collection(artifacts.collection(), [], views)
    monitor.close()
    assert monitor.metrics["photos/kept_count"] == len(artifacts.NAMES)


def test_a_silent_monitor_hears_the_whole_story_and_keeps_nothing_but_numbers() -> None:
    monitor = Silent()
    told(monitor)
    monitor.number("photos/kept_count", 6)
    assert list(monitor.each([1, 2])) == [1, 2]
    assert monitor.metrics.pop("photos/kept_count") == 6
    assert all(name.startswith("mesh/") for name in monitor.metrics)
    assert monitor.pictures == {}

"""The comparisons run and compare like with like; how fast is not tested."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir

from headrecon import speed
from headrecon.command import CONF
from headrecon.evaluate.integration import as_matrix, integration, oval
from headrecon.evaluate.race import Row, growth
from headrecon.mesh.aside import grey_levels_off
from headrecon.refining import egg
from headrecon.render.occlusion import Occlusion
from tests.synthetic.sessions import SESSION

CPU = torch.device("cpu")


@pytest.fixture
def config():
    with initialize_config_dir(str(CONF), version_base=None):
        yield compose("speed", ["matrices=[[300,9000]]", "looped=20", "turns=1"])


def test_both_ways_to_normals_give_the_same_values(config):
    row = speed.pixels(config, CPU)
    assert float(row.quality.split()[3]) < 1e-3
    assert min(row.seconds) > 0.0


def test_both_factorizations_leave_the_same_residual(config):
    assert abs(float(speed.factorization(300, 9000, 1, CPU).quality.split()[-1])) < 1e-4


def test_both_integrations_find_the_depth():
    pytest.importorskip("pyamg")
    for row in integration([40, 64], 1, CPU):
        _, _, _, ours, _, theirs = row.quality.replace(",", " ").split()[-6:]
        assert max(float(ours), float(theirs)) < 1e-5
        assert min(row.seconds) > 0.0


def test_growth_is_drawn_of_what_was_compared_at_several_sizes(tmp_path):
    rows = [
        *(Row(f"flow, {n} photos", "DIS, 8 rounds", (0.1 * n, 0.3 * n**2), "", n) for n in (1, 9)),
        Row("factorization, 5 photos", "svds", (1.0, 2.0), "", 5),
        Row("step of refinement", "another", (1.0, 2.0), ""),
    ]
    figure = growth(rows)
    (axes,) = figure.axes
    assert axes.get_title() == "flow"
    assert axes.get_xlabel() == "photos"
    told = axes.get_legend_handles_labels()[1]
    assert told == ["ours: exponent 1.00", "DIS: exponent 2.00"]
    growth(rows[2:]).savefig(tmp_path / "nothing.png")


def test_the_sparse_matrix_is_the_operator():
    operator, _ = oval(24)
    mask = (operator.diagonal() != 1.0).numpy()
    z = torch.randn(24, 24, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    z = z * torch.from_numpy(mask)
    expected = operator.apply(z).numpy()[mask]
    np.testing.assert_allclose(as_matrix(operator, mask) @ z.numpy()[mask], expected, atol=1e-12)


def test_flow_is_compared_in_one_loop_and_brings_photos_together():
    with initialize_config_dir(str(CONF), version_base=None):
        small = compose("speed", ["turns=1"])
    row = speed.flow(small, 3, CPU)
    ours, theirs, before = (float(row.quality.split()[i].strip(";")) for i in (2, 5, 6))
    assert max(ours, theirs) < before


def test_photos_are_warped_by_the_flow_that_is_told():
    """Chained with the flow that undoes it, the truth leaves nothing."""
    stack, truth = speed.warped_photos(SESSION, 2, CPU)
    undone = torch.zeros_like(truth)
    for _ in range(30):
        undone = -speed.warp(truth, undone)
    assert speed.end_point_error(stack, truth) > 0.5
    assert speed.end_point_error(replace(stack, flows=undone), truth) < 0.05


def test_the_egg_that_steps_are_timed_on_renders_into_its_photos():
    mesh, shots = egg(CPU)
    assert mesh.faces.shape == (20480, 3)
    hidden = Occlusion.of(mesh.vertices, mesh.faces)
    assert grey_levels_off(mesh, hidden, shots, [shot.mask > 0.5 for shot in shots]) < 1.0
    assert max(float(shot.image.amax()) for shot in shots) < 1.0
    assert len({shot.camera.view_from_head for shot in shots}) == 8

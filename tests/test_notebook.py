"""The walkthrough runs from top to bottom on a tiny subject, and is kept without its outputs."""

import ast
import importlib.util
import os
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from headrecon.photos.weights import SOURCES, WeightsUnavailable, weights

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "walkthrough.ipynb"
TINY = (
    "subject.session.photos=16 subject.session.chance.max_side=320 "
    "cluster.count=1 pipeline.cluster.reach=60.0 "
    "pipeline.cluster.minimum=6 pipeline.align.size=128 pipeline.align.pixels_per_mm=0.4 "
    "pipeline.refine.diffusion=[8] pipeline.refine.steps=4 "
    "pipeline.refine.backtracking=[1.0] pipeline.refine.contours.photos=2 "
    "pipeline.outlines.stiffness=[10.0,0.3] repaint@pipeline.refine.paint=none "
    "pipeline.flow.ranks=[1,2,4] pipeline.flow.shrink=[2,2,1] "
    "pipeline.fit.rounds=1 pipeline.fit.steps=15 pipeline.complete.rounds=0 "
    "cameras@pipeline.cameras=fiducials pipeline.texture.size=512"
)


def test_the_walkthrough_is_kept_without_outputs():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert len(code) >= 9
    assert all(not cell.outputs and cell.execution_count is None for cell in code)


def test_what_the_walkthrough_imports_is_there():
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    trees = [ast.parse(cell.source) for cell in notebook.cells if cell.cell_type == "code"]
    imported = [
        (node.module, alias.name)
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module
        for alias in node.names
    ]
    assert any(module.startswith("headrecon.") for module, _ in imported)
    for module, name in imported:
        found = importlib.import_module(module)
        assert hasattr(found, name) or importlib.util.find_spec(f"{module}.{name}"), name


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_every_cell_runs_and_shows_its_stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    try:
        for name in SOURCES:
            weights(name)
    except WeightsUnavailable as error:
        pytest.skip(str(error))
    monkeypatch.setenv("HEADRECON_RUN", str(tmp_path))
    monkeypatch.setenv("HEADRECON_OVERRIDES", TINY)
    monkeypatch.setenv("HEADRECON_PHOTOS", "")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(NOTEBOOK.parents[1])]))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    client = NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}})
    client.execute(cwd=str(NOTEBOOK.parent))
    shown = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert len(shown) >= 8

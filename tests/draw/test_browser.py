"""The report's viewer and the GLB in a real browser."""

import io
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from headrecon.draw.viewer import page_from_the_front, turnable_page
from headrecon.geometry.camera import pixel_centres
from headrecon.mesh.export import glb
from headrecon.types import Atlas, HeadMesh
from tests import artifacts

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"),
    *("--window-size=400,400", "--virtual-time-budget=10000"),
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not BROWSER, reason="no Chromium: apt-get install chromium"),
]


def shown(page: str, folder: Path) -> np.ndarray:
    """What a browser shows of a page."""
    (folder / "page.html").write_text(page)
    picture = folder / "page.png"
    command = [BROWSER, *OPTIONS, f"--user-data-dir={folder / 'browser'}"]
    command += [f"--screenshot={picture}", (folder / "page.html").as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return np.asarray(Image.open(picture).convert("RGB")).astype(float)


def test_the_viewer_shows_the_face_upright(tmp_path: Path) -> None:
    seen = shown(turnable_page(artifacts.head_mesh()), tmp_path)
    assert (seen[:20] == 255.0).all()
    redness = seen[..., 0] - seen[..., 1]
    assert redness[100:130, 180:220].mean() > 10.0 > -10.0 > redness[280:300, 180:220].mean()


def test_the_glb_shows_its_texture_the_right_way_round(tmp_path: Path) -> None:
    mesh = artifacts.head_mesh()
    scene = trimesh.load_scene(io.BytesIO(glb(mesh, quartered(mesh))), file_type="glb")
    seen = shown(page_from_the_front(scene), tmp_path)
    assert (seen[:20] == 255.0).all()
    corners = {"red": seen[140, 140], "green": seen[140, 260], "blue": seen[260, 140]}
    for channel, color in enumerate(corners.values()):
        assert color.argmax() == channel
        assert color.max() > 2.0 * np.sort(color)[1]
    assert seen[260, 260].std() < 8.0


def quartered(mesh: HeadMesh) -> Atlas:
    """From the front: red and green on top, blue and grey below, by the texture alone."""
    place = 0.5 + mesh.vertices[:, :2] * torch.tensor([1.0, -1.0]) / 200.0
    x, y = pixel_centres(64, 64).unbind(-1)
    left, top = x < 32, y < 32
    colors = torch.stack([left & top, ~left & top, left & ~top]) | (~left & ~top)
    return Atlas(
        vertex=torch.arange(len(mesh.vertices)),
        faces=mesh.faces,
        uv=place,
        picture=(200 * colors).byte(),
    )

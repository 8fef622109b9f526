from pathlib import Path

import torch
from PIL import Image

from headrecon import ablate
from headrecon.draw.grown import comparison, surfaces
from headrecon.types import Head
from tests import artifacts
from tests.commands import start


def test_surfaces_of_the_views_lie_where_their_depth_says():
    head = artifacts.reconstruction().head
    vertices, faces = surfaces(Head((*head.surfaces, *head.surfaces)))
    # A ball of 16 pixels at 0.2 pixels a millimetre, from where it looks at the viewer.
    assert torch.allclose(vertices.norm(dim=1), torch.tensor(80.0), atol=0.5)
    one, _ = surfaces(head)
    assert len(vertices) == 2 * len(one)
    assert int(faces.max()) == len(vertices) - 1


def test_each_variant_has_a_row_of_five_sides():
    head = artifacts.reconstruction().head
    one, two = comparison({"full": head}), comparison({"full": head, "neither": head})
    assert one.width == two.width > 5 * 200
    assert two.height > 1.9 * one.height


def test_one_command_draws_all_variants(tmp_path: Path):
    photos = tmp_path / "photos"
    photos.mkdir()
    (photos / "a.jpg").write_bytes(b"a")
    subject = ("+subject=folder", "subject.name=ME", f"subject.photos='{photos}'")
    still = "pipeline._target_=tests.pipelines.Still"
    code, out, err = start(ablate, tmp_path, *subject, still, f"run_dir={tmp_path}/run")
    assert (code, err) == (0, "")
    assert [name for name in ablate.VARIANTS if f"\n{name}\n" in f"\n{out}"] == list(
        ablate.VARIANTS
    )
    with Image.open(tmp_path / "run" / "ablation.png") as picture:
        assert picture.width > 1000


def test_nobody_is_refused_in_one_line(tmp_path: Path):
    code, _, err = start(ablate, tmp_path)
    assert (code, err.count("\n")) == (2, 1)
    assert "choose whose head it is" in err

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

import headrecon
from headrecon.fingerprint import Fingerprint, Sources, imports_of
from headrecon.types import Photo

SOURCES = Sources.read(Path(headrecon.__file__).parent)


@dataclass(frozen=True)
class Blur:
    radius: float


@dataclass(frozen=True)
class Sharpen:
    strength: float
    kernel: Blur
    steps: tuple[int, ...]

    def __call__(self, image: Tensor) -> Tensor:
        return image * self.strength


STAGE = Sharpen(2.0, Blur(1.5), (1, 2))


def write(root: Path, **files: str) -> Sources:
    for name, source in files.items():
        path = root / "pack" / (name.replace("__", "/") + ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source)
        (path.parent / "__init__.py").touch()
    return Sources.read(root / "pack")


@pytest.mark.parametrize(
    "other",
    [
        replace(STAGE, strength=2.1),
        replace(STAGE, kernel=Blur(1.6)),
        replace(STAGE, steps=(1, 2, 3)),
        replace(STAGE, steps=(2, 1)),
    ],
)
def test_any_setting_counts_however_deep_it_lies(other: Sharpen) -> None:
    fingerprint = Fingerprint(SOURCES)
    assert fingerprint(other, torch.ones(3)) != fingerprint(STAGE, torch.ones(3))


@pytest.mark.parametrize(
    "other",
    [
        torch.arange(6.0).reshape(3, 2),
        torch.arange(6).reshape(2, 3),
        torch.arange(6.0, dtype=torch.float64).reshape(2, 3),
        torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.000001]]),
        (torch.arange(6.0).reshape(2, 3),),
        {"a": torch.arange(6.0).reshape(2, 3)},
        0,
        0.0,
        False,
        None,
        "",
    ],
)
def test_shape_type_and_bytes_of_inputs_count(other: object) -> None:
    fingerprint = Fingerprint(SOURCES)
    assert fingerprint(STAGE, other) != fingerprint(STAGE, torch.arange(6.0).reshape(2, 3))


def test_equal_inputs_have_equal_fingerprints_whatever_their_memory_looks_like() -> None:
    image = torch.arange(6.0).reshape(2, 3)
    transposed = image.T.contiguous().T
    assert Fingerprint(SOURCES)(STAGE, image) == Fingerprint(SOURCES)(STAGE, transposed)


def test_a_tensor_that_is_written_to_is_read_again() -> None:
    fingerprint, image = Fingerprint(SOURCES), torch.arange(6.0)
    before = fingerprint(STAGE, image)
    image[2] += 1.0
    assert fingerprint(STAGE, image) != before
    image[2] -= 1.0
    assert fingerprint(STAGE, image) == before


def test_digests_of_tensors_that_are_gone_are_forgotten() -> None:
    fingerprint = Fingerprint(SOURCES)
    for value in range(100):
        fingerprint(STAGE, torch.full((10,), float(value)))
    assert len(fingerprint._tensors) == 0


def test_nested_artifacts_are_read_to_the_last_byte() -> None:
    one = (Photo("a", torch.tensor([1, 2], dtype=torch.uint8)),)
    two = (Photo("a", torch.tensor([1, 3], dtype=torch.uint8)),)
    fingerprint = Fingerprint(SOURCES)
    assert fingerprint(STAGE, one) != fingerprint(STAGE, two)


def test_things_without_a_value_are_refused() -> None:
    with pytest.raises(TypeError, match="object cannot be fingerprinted"):
        Fingerprint(SOURCES)(STAGE, object())


def test_imports_are_found_in_every_form() -> None:
    source = "import a.b\nfrom c import d\ndef f():\n    from . import g\n    from ..h import i\n"
    found = imports_of(source, "p.q.r", is_package=False)
    assert found == ["a.b", "c", "c.d", "p.q", "p.q.g", "p.h", "p.h.i"]
    assert imports_of("from . import g", "p.q", is_package=True) == ["p.q", "p.q.g"]


def test_a_stage_depends_on_what_it_imports_and_on_nothing_else(tmp_path: Path) -> None:
    sources = write(
        tmp_path,
        views__align="from pack.geometry.warp import sample",
        views__cluster="import scipy.cluster",
        geometry__warp="def f():\n    import pack.types",
        types="import torch, os",
        mesh__merge="from pack.views.align import x",
    )
    inside, outside = sources.needed_by(["pack.views.align"])
    assert inside == [
        *("pack", "pack.geometry", "pack.geometry.warp", "pack.types"),
        *("pack.views", "pack.views.align"),
    ]
    assert outside == ["torch"]


def test_code_and_resources_that_a_stage_needs_count_and_others_do_not(tmp_path: Path) -> None:
    files = {"views__align": "import pack.types", "mesh__merge": "", "types": "A = 1"}

    def code(**changes: str) -> bytes:
        sources = write(tmp_path, **{**files, **changes})
        return Fingerprint(sources)._code(("pack.views.align",))

    before = code()
    assert code(mesh__merge="B = 2") == before
    assert code(types="A = 2") != before
    assert code(views__align="import pack.types  # changed") != before
    (tmp_path / "pack" / "mesh" / "table.json").write_text("[1]")
    assert code() == before
    (tmp_path / "pack" / "views" / "table.json").write_text("[1]")
    assert code() != before

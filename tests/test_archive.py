from dataclasses import dataclass

import pytest
import torch

from headrecon.archive import moved, pack, unpack
from headrecon.types import Rejection
from tests import artifacts


@dataclass(frozen=True)
class Hidden:
    """An artifact with a field that is no value."""

    secret: object


def test_artifacts_are_the_same_after_packing_and_unpacking() -> None:
    found = artifacts.reconstruction()
    again = unpack(*pack(found))
    assert again.rejections == found.rejections
    assert again.views == found.views
    assert again.stacks[0].names == found.stacks[0].names
    torch.testing.assert_close(again.mesh.vertices, found.mesh.vertices, rtol=0, atol=0)
    torch.testing.assert_close(again.stacks[0].camera.origin, artifacts.CAMERA.origin)


@pytest.mark.parametrize("number", [0.1 + 0.2, float("inf"), -0.0, 1e-300, 7, True, None, "ü\n"])
def test_plain_values_keep_their_type_and_every_digit(number: object) -> None:
    again = unpack(*pack((number,)))[0]
    assert type(again) is type(number)
    assert repr(again) == repr(number)


def test_what_cannot_be_read_back_is_not_written() -> None:
    with pytest.raises(TypeError, match="object cannot be stored"):
        pack(Hidden(object()))


def test_nothing_but_artifacts_is_made_from_a_file() -> None:
    with pytest.raises(ValueError, match="no artifact"):
        unpack({"type": "subprocess.Popen", "fields": {"args": "true"}}, {})


def test_every_tensor_inside_an_artifact_is_moved() -> None:
    found = moved((artifacts.reconstruction(), {"a": [torch.ones(2)]}), torch.device("meta"))
    assert found[0].stacks[0].camera.view_from_head.is_meta
    assert found[0].head.surfaces[0].normals.albedo.is_meta
    assert found[1]["a"][0].is_meta
    assert found[0].rejections == (
        Rejection("<b>two & more.jpg", "two faces of about the same size"),
    )

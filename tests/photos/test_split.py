import pytest
import torch

from headrecon.photos.gather import Pile
from headrecon.photos.split import HELD_OUT, Split, is_held_out
from headrecon.types import Photo, Rejection


class Held:
    """A photo that is in memory already."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name, self.content = name, content

    def read(self) -> Photo:
        return Photo(self.name, torch.tensor(list(self.content), dtype=torch.uint8))


def pile(count: int, name: str = "photo") -> Pile:
    photos = tuple(Held(f"{name} {i}", f"content {i}".encode()) for i in range(count))
    return Pile((*photos, Rejection("text", "no photo")), {})


def sides(share: float, name: str = "photo") -> tuple[list[str], list[str]]:
    """Names of the photos on either side."""
    kept, out = (
        [p.name for p in Split(pile(400, name), share, held_out) if isinstance(p, Photo)]
        for held_out in (False, True)
    )
    return kept, out


def test_every_photo_is_on_one_side_and_what_is_none_on_both():
    kept, out = sides(0.25)
    assert sorted(kept + out) == sorted(f"photo {i}" for i in range(400))
    for held_out in (False, True):
        split = list(Split(pile(400), 0.25, held_out))
        assert len(split) == len(Split(pile(400), 0.25, held_out)) == 401
        assert Rejection("text", "no photo") in split
    assert Rejection(out[0], HELD_OUT) in list(Split(pile(400), 0.25, held_out=False))


def test_the_share_is_about_that_and_contents_choose_whatever_the_names():
    assert len(sides(0.25)[1]) == pytest.approx(100, abs=30)
    renamed = sides(0.25, "other")[1]
    assert [name.removeprefix("other") for name in renamed] == [
        name.removeprefix("photo") for name in sides(0.25)[1]
    ]


def test_a_larger_share_has_all_photos_of_a_smaller_one():
    assert set(sides(0.1)[1]) < set(sides(0.3)[1])
    assert sides(0.0) == ([f"photo {i}" for i in range(400)], [])
    assert sides(1.0) == ([], [f"photo {i}" for i in range(400)])


def test_a_share_that_is_none_is_refused():
    with pytest.raises(ValueError, match="not 0 to 1"):
        Split(pile(1), 1.5, held_out=False)


def test_photos_are_told_by_all_of_their_bytes():
    one, other = Held("a", b"abc").read(), Held("a", b"abd").read()
    shares = torch.linspace(0.0, 1.0, 200).tolist()
    assert [is_held_out(one, s) for s in shares] != [is_held_out(other, s) for s in shares]

"""Whose photos they are is decided by the many; what is left out has a reason."""

from dataclasses import replace

import pytest
import torch

from headrecon.photos.copies import Copies
from headrecon.photos.curate import Curate, sharpness
from headrecon.types import Collection, Portrait, Sighting
from tests import artifacts

CURATE = Curate(
    stranger=0.55,
    identity_azimuth=60.0,
    identity_minimum=3,
    min_shown=0.2,
    min_light=0.004,
    max_blown=0.3,
    min_sharpness=0.25,
    max_deviation=15.0,
    max_covered=0.5,
    max_glasses=1.0,
    copies=Copies(alike=0.85, same=0.97),
)


def face(name: str, person: int, seed: int, **changes) -> Portrait:
    """A portrait of its own, of one of several people."""
    generator = torch.Generator().manual_seed(1000 * person + seed)
    centre = torch.nn.functional.one_hot(torch.tensor(person), 128).float()
    own = torch.nn.functional.normalize(torch.randn(128, generator=generator), dim=0)
    image = torch.rand(3, 48, 48, generator=generator)
    points = artifacts.portrait(name).fiducials / 2 + 12
    changed = replace(
        artifacts.portrait(name), identity=centre + 0.3 * own, image=image, fiducials=points
    )
    return replace(changed, **changes)


def sighting(*portraits: Portrait) -> Sighting:
    return Sighting(portraits[0].name, portraits)


def his(count: int = 8) -> list[Sighting]:
    return [sighting(face(f"his {index}", 0, index)) for index in range(count)]


def reasons(found: Collection) -> dict[str, str]:
    return {verdict.name: verdict.reason for verdict in found.verdicts}


def test_the_person_is_the_one_whom_most_photos_show():
    strangers = [sighting(face(f"other {k}", 1 + k // 2, k)) for k in range(6)]
    found = CURATE((*strangers, *his()), {})
    assert [portrait.name for portrait in found.kept] == [f"his {k}" for k in range(8)]
    assert set(reasons(found).values()) == {"", "shows somebody else"}
    distances = [verdict.identity_distance for verdict in found.verdicts]
    assert min(distances[:6]) > 0.9
    assert max(distances[6:]) < 0.4


def test_the_order_of_the_photos_changes_nothing():
    photos = (*his(), *(sighting(face(f"other {k}", 1, k)) for k in range(3)))
    assert reasons(CURATE(photos, {})) == reasons(CURATE(photos[::-1], {}))


def test_of_several_faces_the_person_s_is_chosen():
    group = sighting(face("group", 2, 1), face("group", 0, 50), face("group", 3, 2))
    alone = sighting(face("two strangers", 2, 5), face("two strangers", 3, 6))
    found = CURATE((*his(), group, alone), {})
    chosen = dict(zip(reasons(found), found.portraits, strict=True))
    assert torch.equal(chosen["group"].identity, group.portraits[1].identity)
    assert reasons(found)["group"] == ""
    assert torch.equal(chosen["two strangers"].identity, alone.portraits[0].identity)
    assert reasons(found)["two strangers"] == "shows somebody else"


def test_nobody_is_rejected_by_a_profile():
    turned = [sighting(face(f"profile {k}", 5, k, azimuth=75.0)) for k in range(4)]
    assert not any(reasons(CURATE((*his(), *turned), {})).values())


def test_with_too_few_faces_nobody_is_a_stranger():
    found = CURATE((sighting(face("a", 0, 0)), sighting(face("b", 1, 0))), {})
    assert reasons(found) == {"a": "", "b": ""}
    assert all(verdict.identity_distance != verdict.identity_distance for verdict in found.verdicts)
    assert CURATE((), {}) == Collection((), ())


def test_everybody_different_is_nobody_s_collection():
    found = CURATE(tuple(sighting(face(f"{k}", k, 0)) for k in range(6)), {})
    assert len(found.kept) == 6


def test_a_blurred_photo_among_sharp_ones_is_left_out():
    sharp = face("sharp", 0, 77)
    flat = replace(sharp, name="blurred", image=0.5 + 0.02 * sharp.image)
    assert sharpness(flat) < 0.25 * sharpness(sharp)
    assert reasons(CURATE((*his(), sighting(flat)), {}))["blurred"] == "blurred"


def test_badly_exposed_photos_are_left_out_unless_the_user_wants_them():
    dark = sighting(face("night", 0, 63, light=0.001))
    white = sighting(face("flash", 0, 64, blown=0.5))
    found = reasons(CURATE((*his(), dark, white), {}))
    assert found["night"] == "too dark"
    assert found["flash"] == "overexposed"
    assert reasons(CURATE((*his(), dark, white), {"flash": "keep"}))["flash"] == ""


def test_photos_that_hide_the_face_are_left_out_and_those_with_glasses_if_so_wished():
    hidden = sighting(face("hand", 0, 61, covered=0.7, glasses=0.1))
    glasses = sighting(face("glasses", 0, 62, covered=0.2, glasses=0.9))
    found = CURATE((*his(), hidden, glasses), {})
    assert reasons(found)["hand"] == "something hides the face"
    assert reasons(found)["glasses"] == ""
    assert {v.name: v.glasses for v in found.verdicts}["glasses"] == 0.9
    without = reasons(replace(CURATE, max_glasses=0.5)((*his(), hidden, glasses), {}))
    assert without["glasses"] == "wears glasses"
    assert without["hand"] == "something hides the face"


def test_a_copy_names_its_original_and_one_of_both_stays():
    original = face("a.jpg", 0, 60)
    copy = replace(original, name="a copy.jpg", image=original.image.flip(2))
    found = reasons(CURATE((*his(), sighting(copy), sighting(original)), {}))
    assert found["a copy.jpg"] == "shows the same picture as a.jpg"
    assert found["a.jpg"] == ""


def test_the_user_has_the_last_word():
    stranger, copy = face("stranger", 4, 0), face("his 0 (1)", 0, 0)
    photos = (*his(), sighting(stranger), sighting(copy))
    wishes = {"stranger": "keep", "his 3": "drop", "his 0 (1)": "keep"}
    found = reasons(CURATE(photos, wishes))
    assert found["stranger"] == ""
    assert found["his 0 (1)"] == ""
    assert found["his 3"] == "dropped by overrides.csv"


@pytest.mark.parametrize("seed", range(3))
def test_how_far_lips_and_lids_are_open_is_told(seed: int):
    portrait = face("a", 0, seed)
    points = portrait.fiducials.clone()
    points[[78, 308]] = torch.tensor([[10.0, 30.0], [30.0, 30.0]])
    points[[13, 14]] = torch.tensor([[20.0, 28.0], [20.0, 33.0]])
    [verdict] = CURATE((sighting(replace(portrait, fiducials=points)),), {}).verdicts
    assert verdict.mouth_open == pytest.approx(0.25)


def test_a_photo_whose_pose_is_unsure_is_left_out():
    unsure = face("unsure", 0, 20, deviation=torch.tensor([20.0, 3.0, 3.0]))
    assert reasons(CURATE((*his(), sighting(unsure)), {}))["unsure"] == "its pose is unsure"


def test_a_face_outside_of_the_person_is_nobodys():
    nobody = face("cloud", 0, 90, mask=torch.zeros(48, 48))
    half = torch.zeros(48, 48)
    half[:, :24] = 1.0
    aside = face("half of him", 0, 91, mask=half)
    unseen = face("nothing in sight", 0, 92, mask=torch.zeros(48, 48))
    unseen = replace(unseen, visible=torch.zeros(468, dtype=torch.bool))
    found = reasons(CURATE((*his(), *map(sighting, (nobody, aside, unseen))), {}))
    assert found["cloud"] == "nobody is where the face seems to be"
    assert found["half of him"] == found["nothing in sight"] == ""

"""A session writes each photo once, keeps its truth apart, and leaves other files alone."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headrecon.synthetic.dirt import STRANGERS, Dirt
from headrecon.synthetic.record import read_flow, read_labels, read_photos, read_truth, taking
from headrecon.truth import PARTS
from tests.synthetic.sessions import CHANCE, SESSION


def times(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_photos_and_truth_are_written_once(tmp_path):
    photos, truth = tmp_path / "photos", tmp_path / "truth"
    head = SESSION(photos, truth)
    before = times(photos)
    assert sorted(before) == ["photo_0000.jpg", "photo_0001.jpg", "photo_0002.jpg"]
    assert torch.equal(SESSION(photos, truth).vertices, head.vertices)
    assert times(photos) == before
    assert torch.equal(read_truth(truth).landmarks, head.landmarks)


def test_an_interrupted_session_goes_on(tmp_path):
    photos, truth = tmp_path / "photos", tmp_path / "truth"
    SESSION(photos, truth)
    before = times(photos)
    (truth / "photo_0001.json").unlink()
    SESSION(photos, truth)
    after = times(photos)
    assert after["photo_0000.jpg"] == before["photo_0000.jpg"]
    assert after["photo_0001.jpg"] > before["photo_0001.jpg"]


def test_other_settings_take_the_photos_again_and_fewer_remove_the_rest(tmp_path):
    photos, truth = tmp_path / "photos", tmp_path / "truth"
    SESSION(photos, truth)
    (photos / "photo_0002_mine.jpg").write_bytes(b"not ours")
    before = times(photos)
    replace(SESSION, photos=2, chance=replace(CHANCE, mildness=0.5))(photos, truth)
    after = times(photos)
    assert sorted(after) == ["photo_0000.jpg", "photo_0001.jpg", "photo_0002_mine.jpg"]
    assert after["photo_0000.jpg"] > before["photo_0000.jpg"]
    assert not (truth / "photo_0002_labels.png").exists()


def test_a_photo_taken_again_from_its_record_is_the_same(tmp_path):
    SESSION(tmp_path / "photos", tmp_path / "truth")
    record = json.loads((tmp_path / "truth" / "photo_0001.json").read_text())
    again = SESSION.photograph(taking(record["taking"]))
    assert again.encoded.tobytes() == (tmp_path / "photos" / "photo_0001.jpg").read_bytes()
    labels = read_labels(tmp_path / "truth" / "photo_0001_labels.png")
    assert np.array_equal(labels, again.picture.labels)
    flow = read_flow(tmp_path / "truth" / "photo_0001_flow.png")
    assert np.nanmax(np.abs(flow - again.picture.flow)) <= 1 / 128 + 1e-9
    assert json.loads(json.dumps(asdict(SESSION.taking(1)))) == record["taking"]


def test_what_is_read_of_a_photo_is_what_was_recorded(tmp_path):
    SESSION(tmp_path / "photos", tmp_path / "truth")
    one = read_photos(tmp_path / "truth")[1]
    pose = SESSION.taking(1).pose
    assert (one.name, one.identity, one.dirt) == ("photo_0001.jpg", 2, ())
    assert (one.azimuth, one.elevation, one.roll) == (pose.azimuth, pose.elevation, pose.roll)
    assert one.lens.view_from_head.shape == (3, 3)


@pytest.fixture(scope="module")
def dirty(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dirty")
    session = replace(
        SESSION, photos=16, seed=4, dirt=Dirt(wrong_person=0.2, duplicate=0.35, no_face=0.15)
    )
    session(folder / "photos", folder / "truth")
    return folder


def test_dirt_is_flagged(dirty):
    known = read_photos(dirty / "truth")
    flags = [flag for photo in known for flag in photo.dirt]
    assert {"wrong_person", "duplicate", "no_face"} <= set(flags)
    for photo in known:
        assert (photo.identity in STRANGERS) == ("wrong_person" in photo.dirt)
        assert (photo.identity == -1) == ("no_face" in photo.dirt)
        assert (photo.duplicate_of != "") == ("duplicate" in photo.dirt)


def test_copies_follow_their_original(dirty):
    known = {photo.name: photo for photo in read_photos(dirty / "truth")}
    copies = [photo for photo in known.values() if photo.duplicate_of]
    assert any("mirrored" in photo.dirt for photo in copies)
    for copy in copies:
        original = known[copy.duplicate_of]
        sign = -1 if "mirrored" in copy.dirt else 1
        assert copy.azimuth == sign * original.azimuth
        before = read_labels(dirty / "truth" / original.name.replace(".jpg", "_labels.png"))
        after = read_labels(dirty / "truth" / copy.name.replace(".jpg", "_labels.png"))
        for xy in original.fiducials[original.visible][::20]:
            moved = copy.picture_from_lens[:, :2] @ xy + copy.picture_from_lens[:, 2]
            x, y = moved.floor().long().tolist()
            if 1 <= x < after.shape[1] - 1 and 1 <= y < after.shape[0] - 1:
                there = before[int(xy[1]), int(xy[0])]
                assert there in after[y - 1 : y + 2, x - 1 : x + 2]


def test_the_true_head_says_what_its_parts_are_and_what_photos_show(dirty):
    head = read_truth(dirty / "truth")
    assert head.parts.shape == (len(head.vertices), len(PARTS))
    assert head.vertices[head.part("top")][:, 1].min() > 60.0
    assert head.vertices[head.part("back")][:, 2].max() < -20.0
    assert head.landmarks[30, 2] > 80.0
    # Photos are taken from the front and the sides: the nape is in none.
    assert head.seen[head.part("face")].float().mean() > 3.0
    assert head.seen[head.part("back") & (head.vertices[:, 2] < -85.0)].float().mean() < 1.0


def test_another_person_has_another_head_and_other_photos(tmp_path):
    session = replace(SESSION, photos=1)
    one = session(tmp_path / "a", tmp_path / "truth_a").vertices
    other = replace(session, identity=3)(tmp_path / "b", tmp_path / "truth_b").vertices
    count = min(len(one), len(other))
    assert (one[:count] - other[:count]).norm(dim=-1).mean() > 1.0
    poses = [replace(session, identity=identity).taking(0).pose for identity in (2, 3)]
    assert poses[0] != poses[1]


def test_dirt_that_leaves_nobody_is_refused():
    with pytest.raises(ValueError, match="shares of dirt"):
        Dirt(wrong_person=0.6, duplicate=0.3, no_face=0.2)

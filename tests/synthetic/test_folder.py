"""A session writes each photo once, keeps its truth apart, and leaves other files alone."""

from dataclasses import replace

import torch

from headrecon.synthetic.folder import PhotographSubject, read_truth
from headrecon.synthetic.photograph import Photograph

SESSION = PhotographSubject(
    photos=3,
    identity=2,
    strangeness=1.0,
    hair=6.0,
    photograph=Photograph(
        seed=1,
        min_side=80,
        max_side=100,
        min_share=0.5,
        max_share=0.6,
        off_centre=0.05,
        mildness=1.0,
        noise=0.01,
    ),
)


def _times(folder) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_photos_and_truth_are_written_once(tmp_path):
    photos, truth = tmp_path / "photos", tmp_path / "truth"
    head = SESSION(photos, truth)
    before = _times(photos)
    assert sorted(before) == ["photo_0000.jpg", "photo_0001.jpg", "photo_0002.jpg"]
    assert torch.equal(SESSION(photos, truth).vertices, head.vertices)
    assert _times(photos) == before
    assert torch.equal(read_truth(truth).landmarks, head.landmarks)
    assert (truth / "photo_0001.png").exists()


def test_an_interrupted_session_goes_on(tmp_path):
    photos, truth = tmp_path / "photos", tmp_path / "truth"
    SESSION(photos, truth)
    before = _times(photos)
    (truth / "photo_0001.json").unlink()
    SESSION(photos, truth)
    after = _times(photos)
    assert after["photo_0000.jpg"] == before["photo_0000.jpg"]
    assert after["photo_0001.jpg"] > before["photo_0001.jpg"]


def test_other_settings_take_the_photos_again_and_fewer_remove_the_rest(tmp_path):
    photos, truth = tmp_path / "photos", tmp_path / "truth"
    SESSION(photos, truth)
    (photos / "photo_0002_mine.jpg").write_bytes(b"not ours")
    before = _times(photos)
    replace(SESSION, photos=2, hair=9.0)(photos, truth)
    after = _times(photos)
    assert sorted(after) == ["photo_0000.jpg", "photo_0001.jpg", "photo_0002_mine.jpg"]
    assert after["photo_0000.jpg"] > before["photo_0000.jpg"]


def test_another_person_has_another_head(tmp_path):
    one = SESSION(tmp_path / "a", tmp_path / "truth_a").vertices
    other = replace(SESSION, identity=3)(tmp_path / "b", tmp_path / "truth_b").vertices
    assert (one - other).norm(dim=-1).mean() > 1.0

"""Examples, what is done to them, and teaching with them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headrecon.geometry.camera import project_through
from headrecon.learning.augment import augmented
from headrecon.learning.examine import examine
from headrecon.learning.examples import example
from headrecon.learning.shards import Examples, MakeExamples
from headrecon.learning.teach import Teach
from headrecon.photos.head_network import SIZE, HeadNetwork, Seen, load_network
from headrecon.photos.own_weights import save_weights
from headrecon.template.model import head_model
from headrecon.truth import LABELS
from tests.synthetic.sessions import SESSION

TEACH = Teach(
    epochs=2,
    batch=4,
    rate=0.002,
    decay=0.01,
    memory=0.5,
    place_weight=1.0,
    ears_weight=2.0,
    seed=0,
)
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def examples() -> Examples:
    made = [example(SESSION, index, 144) for index in range(4)]
    return Examples(
        torch.stack([torch.from_numpy(one.image) for one in made]),
        torch.stack([torch.from_numpy(one.labels) for one in made]),
        torch.stack([torch.from_numpy(one.places) for one in made]).half(),
    )


def test_places_are_where_the_mean_head_is(examples: Examples):
    places = examples.places.float()
    known = places.isfinite().all(dim=1)
    points = places.movedim(1, -1)[known]
    nearest = torch.cdist(points[::200], head_model().mean.float()).amin(dim=1)
    assert nearest.max() < 12.0
    body = torch.isin(
        examples.labels, torch.tensor([LABELS.index(name) for name in ("face", "ears")])
    )
    assert known[body].float().mean() > 0.97
    assert not known[examples.labels == 0].any()


def test_places_agree_with_the_pose_of_the_photo():
    """Seen by the photo's own lens they differ from a window's pixels by this person's features."""
    taking = SESSION.taking(0)
    shot = SESSION.photograph(taking)
    one = example(SESSION, 0, 144)
    points = torch.from_numpy(one.places).movedim(0, -1)
    known = points.isfinite().all(dim=-1)
    xy = project_through(points[known], shot.lens)[:, :2]
    y, x = torch.nonzero(known, as_tuple=True)
    window = torch.stack([x, y], dim=1) + 0.5
    # The window is a similarity of the photo, which two means and a spread tell.
    design = torch.cat([window, torch.ones(len(window), 1)], dim=1)
    left = xy - design @ torch.linalg.lstsq(design, xy).solution
    distance = -float(shot.lens.translation[2])
    assert left.norm(dim=1).median() * distance / shot.lens.focal < 8.0


def test_what_is_mirrored_shows_the_places_of_the_other_side(examples: Examples):
    """Over many draws half are mirrored, and then x of the places has the other sign."""
    chosen = torch.zeros(64, dtype=torch.long)
    generator = torch.Generator().manual_seed(0)
    images = examples.images[chosen].float() / 255.0
    _, _, places = augmented(
        images, examples.labels[chosen].long(), examples.places[chosen].float(), SIZE, generator
    )
    across = torch.tensor([_slope(one) for one in places])
    assert 20 < int((across > 0).sum()) < 44


def _slope(places: torch.Tensor) -> float:
    """Sign of the mean of x, which turning the head gives and mirroring takes."""
    x = places[0]
    return float(x[x.isfinite()].mean())


def test_pixels_outside_of_the_photo_show_nothing(examples: Examples):
    generator = torch.Generator().manual_seed(1)
    images = examples.images.float() / 255.0
    seen, labels, places = augmented(
        images, examples.labels.long(), examples.places.float(), SIZE, generator
    )
    assert seen.shape == (4, 3, SIZE, SIZE)
    assert float(seen.min()) >= 0.0
    assert float(seen.max()) <= 1.0
    assert not places.isfinite().all(dim=1)[labels == 0].any()
    assert not places.isfinite().all(dim=1)[labels == LABELS.index("occluder")].any()


def test_teaching_that_was_stopped_goes_on_as_if_it_had_not(examples: Examples, tmp_path: Path):
    whole = TEACH(examples, _made(tmp_path / "whole"), CPU)
    with pytest.raises(KeyboardInterrupt):
        Interrupted(**vars(TEACH))(examples, _made(tmp_path / "halves"), CPU)
    again = TEACH(examples, tmp_path / "halves", CPU)
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(again.state_dict()[name], value, msg=name)


class Interrupted(Teach):
    """Is interrupted in its second epoch."""

    def _batches(self, examples: Examples, generator: torch.Generator):
        if generator.initial_seed() == 1:
            raise KeyboardInterrupt
        return super()._batches(examples, generator)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_both_losses_fall_while_a_network_is_taught(examples: Examples, tmp_path: Path):
    many = Examples(*(layer.repeat_interleave(4, dim=0) for layer in vars(examples).values()))
    replace(TEACH, epochs=8)(many, _made(tmp_path / "taught"), CPU)
    events = EventAccumulator(str(tmp_path / "taught" / "tensorboard"))
    events.Reload()
    for name in ("loss/labels", "loss/places"):
        losses = [event.value for event in events.Scalars(name)]
        assert len(losses) == 8
        assert losses[-1] < 0.8 * losses[0]


def test_scores_are_those_of_a_network_that_says_nothing(examples: Examples):
    scores = examine(Silent().eval(), examples)
    assert scores["face_iou"] == 0.0
    assert scores["head_iou"] == 0.0
    assert 0.0 < scores["background_iou"] < 1.0
    # All places are said to be the origin, and heads are about a decimetre around it.
    assert 60.0 < scores["place_median_mm"] < 140.0


class Silent(HeadNetwork):
    """Says background everywhere, and the origin."""

    def forward(self, images: torch.Tensor) -> Seen:
        count, _, height, width = images.shape
        logits = torch.zeros(count, len(LABELS), height, width)
        logits[:, 0] = 1.0
        return Seen(logits, torch.zeros(count, 3, height, width))


def test_examples_that_are_there_are_kept(tmp_path: Path):
    make = MakeExamples(replace(SESSION, identity=0), people=2, photos=2, first_person=31, size=144)
    for person in range(2):
        arrays = {
            "images": np.full((2, 3, 144, 144), person, np.uint8),
            "labels": np.zeros((2, 144, 144), np.uint8),
            "places": np.zeros((2, 3, 144, 144), np.float16),
        }
        np.savez(tmp_path / f"person_{person:05d}.npz", **arrays)
    found = make(tmp_path, workers=1)
    assert found.images[:, 0, 0, 0].tolist() == [0, 0, 1, 1]
    first, last = found.split(1)
    assert (len(first.images), len(last.images)) == (3, 1)


def test_weights_are_read_as_they_were_written_and_damaged_ones_are_refused(tmp_path: Path):
    network, path = HeadNetwork(), tmp_path / "weights.safetensors"
    save_weights(network, {"epochs": 1}, path)
    read = load_network(path)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    load_network.cache_clear()
    with pytest.raises(ValueError, match="damaged"):
        load_network(path)

"""Examples, what is done to them, and teaching with them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from headrecon.command import CONF
from headrecon.learning.augment import _haired, _redressed, augmented
from headrecon.learning.examine import examine
from headrecon.learning.examples import example
from headrecon.learning.shards import Examples, MakeExamples
from headrecon.learning.teach import Teach
from headrecon.own_weights import save_weights
from headrecon.photos.detect import Detect
from headrecon.photos.head_network import SIZE, HeadNetwork, load_network
from headrecon.template.build import BuildTemplate
from headrecon.truth import LABELS
from tests.synthetic.sessions import SESSION

TEACH = Teach(epochs=2, batch=4, rate=0.002, decay=0.01, memory=0.5, ears_weight=2.0, seed=0)
CPU = torch.device("cpu")
SIDE = 160


@pytest.fixture(scope="module")
def detect() -> Detect:
    """As it makes the examples of the lesson."""
    with initialize_config_dir(str(CONF), version_base=None):
        config = compose("learn", ["network=parts"])
    return instantiate(config.network.examples.detect, _convert_="all")


@pytest.fixture(scope="module")
def examples(detect: Detect) -> Examples:
    template = BuildTemplate(size=1.0, people=2)()
    session = replace(SESSION, chance=replace(SESSION.chance, azimuth=40.0))
    made = [
        example(session.photograph, session.taking(index), detect, template, SIDE)
        for index in range(4)
    ]
    found = [one for one in made if one is not None]
    assert len(found) == 4
    return Examples(
        torch.stack([torch.from_numpy(one.image) for one in found]),
        torch.stack([torch.from_numpy(one.guess) for one in found]),
        torch.stack([torch.from_numpy(one.labels) for one in found]),
        torch.arange(4),
    )


def test_labels_lie_on_the_portrait(examples: Examples):
    """The guess, which was made from the picture, and the labels show the same person."""
    guess, true = examples.guesses > 127, examples.labels > 0
    both, either = (guess & true).sum(dim=(1, 2)), (guess | true).sum(dim=(1, 2))
    assert bool((both > 0.8 * either).all())
    assert {"face", "hair", "neck"} <= {LABELS[k] for k in examples.labels.unique().tolist()}


def test_nobody_is_no_example(detect: Detect):
    nobody = replace(SESSION.taking(0), identity=-1)
    template = BuildTemplate(size=1.0, people=2)()
    assert example(SESSION.photograph, nobody, detect, template, SIDE) is None


def drawn(examples: Examples, index: int, count: int, seed: int) -> tuple[torch.Tensor, ...]:
    chosen = torch.full((count,), index)
    return augmented(
        examples.images[chosen].float() / 255.0,
        examples.guesses[chosen].float() / 255.0,
        examples.labels[chosen].long(),
        SIZE,
        torch.Generator().manual_seed(seed),
    )


def test_pictures_guesses_and_labels_move_together(examples: Examples):
    images, guesses, labels = drawn(examples, 0, 32, 0)
    assert images.shape == (32, 3, SIZE, SIZE)
    assert 0.0 <= float(images.min()) <= float(images.max()) <= 1.0
    known = labels != LABELS.index("occluder")
    agree = ((guesses > 0.5) == (labels > 0))[known].float().mean()
    still = ((examples.guesses[0] > 127) == (examples.labels[0] > 0)).float().mean()
    assert agree > still - 0.05


def test_half_of_the_windows_are_mirrored(examples: Examples):
    """Which side of the picture has more of the person depends on the sign of its columns."""
    _, guesses, _ = drawn(examples, 0, 64, 1)
    across = torch.linspace(-1.0, 1.0, SIZE)
    guess = examples.guesses[0].float()
    skew = ((guess.flip(1) - guess) * torch.linspace(-1.0, 1.0, SIDE)).mean()
    found = (guesses * across).mean(dim=(1, 2))
    spread = found - found.mean()
    assert float(skew.abs()) > 0.0
    assert 16 < int((spread > 0).sum()) < 48


def test_more_hair_is_behind_the_face_and_guessed(examples: Examples):
    chosen = torch.zeros(64, dtype=torch.long)
    images, guesses = examples.images[chosen].float() / 255.0, examples.guesses[chosen] / 255.0
    labels = examples.labels[chosen].long()
    _, guessed, now = _haired(images, guesses, labels, torch.Generator().manual_seed(4))
    more = (now == LABELS.index("hair")) & (labels != LABELS.index("hair"))
    assert 10 < int(more.flatten(1).any(dim=1).sum()) < 34
    assert set(labels[more].unique().tolist()) <= {0, LABELS.index("clothes")}
    assert torch.equal(now[~more], labels[~more])
    assert float((guessed[more] > 0.5).float().mean()) > 0.9


def test_other_hair_and_clothes_leave_the_rest_alone(examples: Examples):
    chosen = torch.zeros(32, dtype=torch.long)
    images, labels = examples.images[chosen].float() / 255.0, examples.labels[chosen].long()
    redressed = _redressed(images, labels, torch.Generator().manual_seed(5))
    changed = (redressed - images).abs().amax(dim=1) > 0.02
    skin = labels[0] == LABELS.index("face")
    inner = torch.nn.functional.max_pool2d((~skin).float()[None, None], 5, 1, 2)[0, 0] < 0.5
    assert not changed[:, inner].any()
    hair = labels[0] == LABELS.index("hair")
    share = changed[:, hair].float().mean(dim=1)
    assert 6 < int((share > 0.5).sum()) < 26


def test_covers_are_occluders_where_they_hide_the_person(examples: Examples):
    images, _, labels = drawn(examples, 0, 64, 2)
    hidden = labels == LABELS.index("occluder")
    covered = hidden.flatten(1).any(dim=1)
    assert 6 < int(covered.sum()) < 30
    assert images.isfinite().all()


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


def test_the_loss_falls_while_a_network_is_taught(examples: Examples, tmp_path: Path):
    many = Examples(*(layer.repeat_interleave(4, dim=0) for layer in vars(examples).values()))
    replace(TEACH, epochs=8)(many, _made(tmp_path / "taught"), CPU)
    events = EventAccumulator(str(tmp_path / "taught" / "tensorboard"))
    events.Reload()
    losses = [event.value for event in events.Scalars("loss/labels")]
    assert len(losses) == 8
    assert losses[-1] < 0.8 * losses[0]


def test_what_is_not_known_better_stays_as_it_was_guessed():
    """With a U-Net that says nothing, the person is where the guess has it."""
    network = HeadNetwork().eval()
    for parameter in network.unet.parameters():
        torch.nn.init.zeros_(parameter)
    guess = torch.rand(2, SIZE, SIZE, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        logits = network(torch.rand(2, 3, SIZE, SIZE), guess)
    person = logits[:, LABELS.index("face")] > logits[:, LABELS.index("background")]
    assert torch.equal(person, guess > 0.5)
    assert torch.equal(logits[:, LABELS.index("occluder")], logits[:, LABELS.index("background")])


def test_scores_are_those_of_a_network_that_says_nothing(examples: Examples):
    scores = examine(Silent().eval(), examples)
    assert scores["face_iou"] == 0.0
    assert scores["person_iou"] == 0.0
    assert scores["guess_iou"] > 0.8
    assert 0.0 < scores["background_iou"] < 1.0


class Silent(HeadNetwork):
    """Says background everywhere."""

    def forward(self, images: torch.Tensor, guess: torch.Tensor) -> torch.Tensor:
        logits = torch.zeros(len(images), len(LABELS), *guess.shape[1:])
        logits[:, 0] = 9.0
        return logits


def test_examples_that_are_there_are_kept(detect: Detect, tmp_path: Path):
    make = MakeExamples(
        replace(SESSION, identity=0), detect, people=2, photos=2, first_person=31, size=SIDE
    )
    for person, count in enumerate((2, 1)):
        np.savez(
            tmp_path / f"person_{person:05d}.npz",
            images=np.full((count, 3, SIDE, SIDE), person, np.uint8),
            guesses=np.zeros((count, SIDE, SIDE), np.uint8),
            labels=np.zeros((count, SIDE, SIDE), np.uint8),
        )
    found = make(tmp_path, workers=1)
    assert found.images[:, 0, 0, 0].tolist() == [0, 0, 1]
    first, last = found.apart(1)
    assert first.people.tolist() == [0, 0]
    assert last.people.tolist() == [1]


def test_weights_are_read_as_they_were_written_and_damaged_ones_are_refused(tmp_path: Path):
    network, path = HeadNetwork(), tmp_path / "weights.safetensors"
    save_weights(network.state_dict(), {"epochs": 1}, path)
    read = load_network(path)
    for name, value in network.state_dict().items():
        torch.testing.assert_close(read.state_dict()[name], value, atol=1e-3, rtol=1e-3)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    load_network.cache_clear()
    with pytest.raises(ValueError, match="damaged"):
        load_network(path)

"""How well a network tells the labels of examples that it was not taught with."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

from headrecon.learning.augment import REACH
from headrecon.learning.shards import Examples
from headrecon.photos.head_network import BODY, SIZE, HeadNetwork
from headrecon.truth import LABELS

_BATCH = 32


def examine(network: HeadNetwork, examples: Examples) -> dict[str, float]:
    """Intersection over union of each label, and of the person beside that of the guess.

    Examples are seen as they are, in the middle of their windows. The labels' are over all pixels
    of all examples; the person's are means over the examples.
    """
    count = len(LABELS)
    confusion = torch.zeros(count, count)
    persons, guessed = [], []
    body = torch.tensor([LABELS.index(name) for name in BODY])
    for chosen in torch.arange(len(examples.images)).split(_BATCH):
        images, guesses = (
            _middle(layer[chosen].float() / 255.0, "bilinear")
            for layer in (examples.images, examples.guesses[:, None])
        )
        labels = _middle(examples.labels[chosen, None].float(), "nearest")[:, 0].long()
        with torch.inference_mode():
            chances = network(images, guesses[:, 0]).softmax(dim=1)
        pairs = count * labels.flatten() + chances.argmax(dim=1).flatten()
        confusion += torch.bincount(pairs, minlength=count**2).reshape(count, count)
        true = torch.isin(labels, body)
        persons.append(_iou(chances[:, body].sum(dim=1) > 0.5, true))
        guessed.append(_iou(guesses[:, 0] > 0.5, true))
    hit, either = confusion.diag(), confusion.sum(0) + confusion.sum(1) - confusion.diag()
    scores = {f"{name}_iou": float(hit[k] / either[k]) for k, name in enumerate(LABELS)}
    scores["person_iou"] = float(torch.cat(persons).mean())
    scores["guess_iou"] = float(torch.cat(guessed).mean())
    return scores


def _middle(
    layers: Float[Tensor, "window channel side side"], mode: str
) -> Float[Tensor, "window channel size size"]:
    """The middle of the windows, at the network's size."""
    grid = functional.affine_grid(
        torch.tensor([[[REACH, 0.0, 0.0], [0.0, REACH, 0.0]]]).expand(len(layers), 2, 3),
        [len(layers), 1, SIZE, SIZE],
        align_corners=False,
    )
    return functional.grid_sample(layers, grid, mode=mode, align_corners=False)


def _iou(
    found: Bool[Tensor, "window h w"], true: Bool[Tensor, "window h w"]
) -> Float[Tensor, " window"]:
    both, either = (found & true).sum(dim=(1, 2)), (found | true).sum(dim=(1, 2))
    return both / either.clamp_min(1)

"""How well a network tells labels and places of examples that it was not taught with."""

import torch
from torch.nn import functional

from headrecon.learning.shards import Examples
from headrecon.photos.head_network import SIZE, HeadNetwork
from headrecon.truth import LABELS

_BATCH = 32


def examine(network: HeadNetwork, examples: Examples) -> dict[str, float]:
    """Intersection over union of each label and of the head, and errors of the places.

    Examples are seen as they are, in the middle of their windows.
    """
    size = len(LABELS)
    confusion, errors = torch.zeros(size, size), []
    for chosen in torch.arange(len(examples.images)).split(_BATCH):
        images = examples.images[chosen].float() / 255.0
        images = functional.interpolate(
            images, (SIZE, SIZE), mode="bilinear", antialias=True, align_corners=False
        )
        layers = [examples.labels[chosen, None].float(), examples.places[chosen].float()]
        truth = functional.interpolate(torch.cat(layers, dim=1), (SIZE, SIZE), mode="nearest")
        labels, places = truth[:, 0].long(), truth[:, 1:]
        with torch.inference_mode():
            seen = network(images)
        pairs = size * labels.flatten() + seen.logits.argmax(dim=1).flatten()
        confusion += torch.bincount(pairs, minlength=size**2).reshape(size, size)
        known = places.isfinite().all(dim=1)
        errors.append((seen.places - places).norm(dim=1)[known])
    far = torch.cat(errors)
    hit, either = confusion.diag(), confusion.sum(0) + confusion.sum(1) - confusion.diag()
    scores = {f"{name}_iou": float(hit[k] / either[k]) for k, name in enumerate(LABELS)}
    body = [LABELS.index(name) for name in ("face", "ears", "neck", "hair")]
    inside = confusion[body][:, body].sum()
    scores["head_iou"] = float(inside / (confusion[body].sum() + confusion[:, body].sum() - inside))
    scores["place_median_mm"] = float(far.median())
    scores["place_p90_mm"] = float(far.kthvalue(int(0.9 * len(far)) + 1).values)
    return scores

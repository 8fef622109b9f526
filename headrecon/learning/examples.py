"""Examples to learn from: pictures of made-up heads, and what each of their pixels shows."""

import io
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from PIL import Image

from headrecon.geometry.camera import project_through
from headrecon.photos.head_network import MIDDLE, SIDE
from headrecon.photos.square import Square, sample, to_photo
from headrecon.render.trace import Tracer, rays
from headrecon.synthetic.chance import Taking
from headrecon.synthetic.folder import PhotographSubject
from headrecon.synthetic.people import person
from headrecon.synthetic.photograph import Shot
from headrecon.template.model import head_model
from headrecon.truth import LABELS


@dataclass(frozen=True)
class Example:
    """A window of a photo, and what its pixels show."""

    image: UInt8[np.ndarray, "rgb=3 size size"]
    """sRGB."""
    labels: UInt8[np.ndarray, "size size"]
    """Index into `headrecon.truth.LABELS`."""
    places: Float[np.ndarray, "xyz=3 size size"]
    """Which point of the mean head the pixel shows, millimetres; NaN where it shows none."""


def example(session: PhotographSubject, index: int, size: int) -> Example:
    """One photo of the session, cut around the head as a detector might do it."""
    taking = session.taking(index)
    shot = session.photograph(taking)
    random = np.random.default_rng([taking.seed, 5])
    window = _window(shot, random)
    with Image.open(io.BytesIO(shot.encoded.tobytes())) as opened:
        photo = torch.from_numpy(np.array(opened.convert("RGB"))).movedim(-1, 0).float()
    y, x = torch.meshgrid(torch.arange(size) + 0.5, torch.arange(size) + 0.5, indexing="ij")
    xy = to_photo(torch.stack([x, y], dim=-1), window, size).double().numpy()
    labels = _nearest(shot.picture.labels, xy)
    return Example(
        image=sample(photo, window, size).round().clamp(0, 255).byte().numpy(),
        labels=labels,
        places=_places(session, taking, shot, xy, labels),
    )


def _window(shot: Shot, random: np.random.Generator) -> Square:
    """Around the head, as far off as detectors are."""
    lens = shot.lens
    x, y, distance = project_through(torch.tensor([MIDDLE]), lens)[0].tolist()
    side = SIDE * lens.focal / distance
    return Square(
        x + 0.09 * side * float(random.normal()),
        y + 0.09 * side * float(random.normal()),
        side * float(np.exp(0.17 * random.normal())),
        float(random.normal(0.0, 12.0)),
    )


def _nearest(
    labels: UInt8[np.ndarray, "h w"], xy: Float[np.ndarray, "size size xy=2"]
) -> UInt8[np.ndarray, "size size"]:
    """Labels at places of the photo; background beyond it."""
    column, row = np.floor(xy).astype(int).transpose(2, 0, 1)
    height, width = labels.shape
    inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
    found = labels[row.clip(0, height - 1), column.clip(0, width - 1)]
    return np.where(inside, found, 0).astype(np.uint8)


def _places(
    session: PhotographSubject,
    taking: Taking,
    shot: Shot,
    xy: Float[np.ndarray, "size size xy=2"],
    labels: UInt8[np.ndarray, "size size"],
) -> Float[np.ndarray, "xyz=3 size size"]:
    """Where the lines of sight meet the head, carried to the mean head."""
    places = np.full((labels.size, 3), np.nan, np.float32)
    if taking.identity < 0:
        return places.T.reshape(3, *labels.shape)
    subject = person(taking.identity, session.photograph.strangeness)
    head = subject.head(torch.tensor(taking.expression), taking.style).double().numpy()
    model = head_model()
    faces: Int[np.ndarray, "face 3"] = model.faces.numpy()
    hits = Tracer(head, faces).first(*rays(shot.lens, xy.reshape(-1, 2)))
    corners = model.mean.double().numpy()[faces[hits.face]]
    places[hits.ray] = (hits.barycentric[..., None] * corners).sum(axis=1)
    hidden = np.isin(labels, [LABELS.index(name) for name in ("background", "clothes", "occluder")])
    # Hair may hang before the head; it shows no point of it.
    places[hidden.ravel()] = np.nan
    return places.T.reshape(3, *labels.shape)

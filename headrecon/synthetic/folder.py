"""Photos of a made-up person as files, so that they are reconstructed like anybody's."""

import hashlib
import io
import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import trimesh
from kornia.color import linear_rgb_to_rgb
from tqdm import tqdm
from trimesh.exchange.ply import export_ply

from headrecon.files import write
from headrecon.geometry.surface import at
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.synthetic.chance import Chance, Taking
from headrecon.synthetic.copies import Copy, copied
from headrecon.synthetic.dirt import STRANGERS, Dirt
from headrecon.synthetic.people import person
from headrecon.synthetic.photograph import Photograph, Shot
from headrecon.synthetic.record import (
    encode_flow,
    encode_labels,
    pack_seen,
    photo_record,
    photo_truth,
    read_flow,
    read_labels,
    unpack_seen,
)
from headrecon.template.build import BuildTemplate
from headrecon.template.model import head_model
from headrecon.truth import PhotoTruth, Truth


@dataclass(frozen=True)
class PhotographSubject:
    """A session with one person: the photos in one folder, what nobody is told in another.

    A photo that is there already, taken with the same settings and code, is kept; one that an
    earlier session left and this one does not ask for is removed. Other files are not touched.
    """

    photos: int
    identity: int
    """Seed of the person."""
    seed: int
    """Of the collection: other photos of the same person."""
    chance: Chance
    dirt: Dirt
    photograph: Photograph

    def __call__(self, photos: Path, truth: Path) -> Truth:
        """Write what is missing of JPEGs to `photos`, and of their truth to `truth`."""
        photos.mkdir(parents=True, exist_ok=True)
        truth.mkdir(parents=True, exist_ok=True)
        key = self._key()
        _clear(photos, truth, self.photos, key)
        for index in tqdm(range(self.photos), "photographing", leave=False, disable=None):
            if not (
                (photos / f"{_name(index)}.jpg").exists()
                and (truth / f"{_name(index)}.json").exists()
            ):
                self._add(index, key, photos, truth)
        return self._write_truth(truth)

    def taking(self, index: int) -> Taking:
        """All that the photo with this index depends on, unless it is a copy."""
        origin = self.dirt.origin(index, self.identity, self.seed)
        random = np.random.default_rng([self.seed, self.identity, index])
        name = f"{_name(index)}.jpg"
        return self.chance(name, index, origin.identity, head_model().actions, random)

    def _add(self, index: int, key: str, photos: Path, truth: Path) -> None:
        """One more photo; its record comes last, and only then the photo counts as taken."""
        source = self.dirt.origin(index, self.identity, self.seed).copy_of
        name = _name(index)
        if source >= 0:
            before = json.loads((truth / f"{_name(source)}.json").read_text())
            original = Copy(
                np.fromfile(photos / f"{_name(source)}.jpg", np.uint8),
                photo_truth(before["truth"]),
                read_labels(truth / f"{_name(source)}_labels.png"),
                read_flow(truth / f"{_name(source)}_flow.png"),
            )
            random = np.random.default_rng([self.seed, self.identity, index, 2])
            copy = copied(original, f"{name}.jpg", random)
            about = {"truth": photo_record(copy.truth, before["truth"]["seen"])}
        else:
            taking = self.taking(index)
            shot = self.photograph(taking)
            copy = Copy(shot.encoded, _truth(taking, shot), shot.picture.labels, shot.picture.flow)
            about = {
                "truth": photo_record(copy.truth, pack_seen(shot.seen)),
                "taking": asdict(taking),
                "development": shot.development,
            }
        write(truth / f"{name}_labels.png", encode_labels(copy.labels))
        write(truth / f"{name}_flow.png", encode_flow(copy.flow))
        write(photos / f"{name}.jpg", copy.encoded.tobytes())
        write(truth / f"{name}.json", json.dumps({"key": key, **about}) + "\n")

    def _key(self) -> str:
        """Stands for everything that the photos depend on, except their number."""
        root = Path(__file__).parents[1]
        sources = sorted(
            path for name in ("synthetic", "template") for path in (root / name).glob("*.py")
        )
        sources += [root / "render" / "trace.py", root / "geometry" / "rotation.py"]
        settings = {name: value for name, value in asdict(self).items() if name != "photos"}
        code = b"".join(path.read_bytes() for path in sources)
        return hashlib.sha256(code + repr(settings).encode()).hexdigest()[:16]

    def _write_truth(self, folder: Path) -> Truth:
        """The head that the photos show, as arrays and as a mesh to look at."""
        head = person(self.identity, self.photograph.population).neutral(style=0)
        seen = torch.zeros(len(head.vertices), dtype=torch.long)
        for path in sorted(folder.glob("photo_*.json")):
            about = json.loads(path.read_text())["truth"]
            if about["identity"] == self.identity:
                shown = unpack_seen(about["seen"])[: len(seen)]
                # Long hair that the photo's style does not have is not shown by it.
                seen[: len(shown)] += shown.long() if about["style"] == 0 else 0
        marks = BuildTemplate(size=1.0, people=2)().fiducials
        truth = Truth(
            vertices=head.vertices,
            faces=head.faces,
            parts=head.parts,
            albedo=head.albedo,
            seen=seen,
            landmarks=at(marks, head.faces, head.vertices)[list(IBUG68_FROM_MESH)],
        )
        arrays = io.BytesIO()
        np.savez(arrays, **{name: value.numpy() for name, value in vars(truth).items()})
        write(folder / "head.npz", arrays.getvalue())
        write(folder / "head.ply", export_ply(_colored(truth)))
        return truth


def _name(index: int) -> str:
    return f"photo_{index:04d}"


def _truth(taking: Taking, shot: Shot) -> PhotoTruth:
    """What is known of a photo that is no copy."""
    flags = {
        "wrong_person": taking.identity in STRANGERS,
        "occluder": taking.occluder != "",
        "second_face": taking.bystander >= 0,
        "banner": taking.banner,
        "no_face": taking.identity < 0,
    }
    return PhotoTruth(
        name=taking.name,
        identity=taking.identity,
        dirt=tuple(name for name, present in flags.items() if present),
        duplicate_of="",
        azimuth=taking.pose.azimuth,
        elevation=taking.pose.elevation,
        roll=taking.pose.roll,
        lens=shot.lens,
        picture_from_lens=torch.eye(2, 3),
        expression=torch.tensor(taking.expression),
        style=taking.style,
        fiducials=shot.fiducials,
        visible=shot.visible,
    )


def _clear(photos: Path, truth: Path, count: int, key: str) -> None:
    """Remove photos that are too many or were taken in another way."""
    for record in truth.glob("photo_*.json"):
        stale = int(record.stem.removeprefix("photo_")) >= count
        if stale or json.loads(record.read_text())["key"] != key:
            (photos / f"{record.stem}.jpg").unlink(missing_ok=True)
            for layer in ("labels", "flow"):
                record.with_name(f"{record.stem}_{layer}.png").unlink(missing_ok=True)
            record.unlink()


def _colored(truth: Truth) -> trimesh.Trimesh:
    """The head as viewers show it."""
    colors = (255.0 * linear_rgb_to_rgb(truth.albedo.T[:, None])[:, 0].T).round()
    return trimesh.Trimesh(
        truth.vertices.numpy(),
        truth.faces.numpy(),
        vertex_colors=colors.numpy().astype(np.uint8),
        process=False,
    )

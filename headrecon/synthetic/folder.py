"""Photos of a made-up person as files, so that they are reconstructed like anybody's."""

import hashlib
import io
import json
import os
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import trimesh
from PIL import Image
from tqdm import tqdm
from trimesh.exchange.ply import export_ply

from headrecon.geometry.surface import at
from headrecon.ibug68 import IBUG68_FROM_MESH
from headrecon.synthetic.photograph import Photograph, Shot
from headrecon.synthetic.subject import Subject, make_subject
from headrecon.template.build import BuildTemplate
from headrecon.template.regions import REGIONS
from headrecon.truth import Truth


@dataclass(frozen=True)
class PhotographSubject:
    """A session with one person: the photos in one folder, what nobody is told in another.

    A photo that is there already, taken with the same settings and code, is kept; one that an
    earlier session left and this one does not ask for is removed. Other files are not touched.
    """

    photos: int
    identity: int
    """Seed of the person."""
    strangeness: float
    """How far the head is from the average; 1 draws from the population."""
    hair: float
    """Thickness of the hair in millimetres."""
    photograph: Photograph

    def __call__(self, photos: Path, truth: Path) -> Truth:
        """Write what is missing of JPEGs to `photos`, and of truth, poses and masks to `truth`."""
        photos.mkdir(parents=True, exist_ok=True)
        truth.mkdir(parents=True, exist_ok=True)
        subject = make_subject(self.identity, self.strangeness, self.hair)
        key = self._key()
        for record in truth.glob("photo_*.json"):
            stale = int(record.stem.removeprefix("photo_")) >= self.photos
            if stale or json.loads(record.read_text())["key"] != key:
                (photos / f"{record.stem}.jpg").unlink(missing_ok=True)
                record.unlink()
                record.with_suffix(".png").unlink(missing_ok=True)
        for index in tqdm(range(self.photos), "photographing", leave=False, disable=None):
            name = f"photo_{index:04d}"
            if not ((photos / f"{name}.jpg").exists() and (truth / f"{name}.json").exists()):
                _write_shot(self.photograph(subject, index), key, photos, truth)
        return _write_truth(subject, truth)

    def _key(self) -> str:
        """Stands for everything that the photos depend on, except their number."""
        package = Path(__file__).parent
        sources = [
            *sorted(package.glob("*.py")),
            *sorted(package.with_name("template").glob("*.py")),
        ]
        settings = {name: value for name, value in asdict(self).items() if name != "photos"}
        code = b"".join(path.read_bytes() for path in sources)
        return hashlib.sha256(code + repr(settings).encode()).hexdigest()[:16]


def _write_shot(shot: Shot, key: str, photos: Path, truth: Path) -> None:
    """Mask, photo and record; the record comes last, and only then the photo counts as taken."""
    name = Path(shot.photo.name)
    mask = io.BytesIO()
    Image.fromarray(shot.mask.numpy()).save(mask, "PNG")
    camera = shot.camera
    record = {
        "key": key,
        **asdict(shot.pose),
        "scale": camera.scale,
        "origin": camera.origin.tolist(),
        "height": camera.height,
        "width": camera.width,
    }
    _write(truth / name.with_suffix(".png"), mask.getvalue())
    _write(photos / name, shot.photo.encoded.numpy().tobytes())
    _write(truth / name.with_suffix(".json"), (json.dumps(record) + "\n").encode())


def _write_truth(subject: Subject, folder: Path) -> Truth:
    """The head that the photos show, as arrays and as a mesh to look at."""
    marks = BuildTemplate(size=1.0)().fiducials
    vertices = subject.vertices
    truth = Truth(
        vertices=vertices,
        faces=subject.faces,
        parts=torch.stack([subject.model.region == REGIONS.index("face")] * 6, dim=1),
        albedo=torch.full_like(vertices, 0.5),
        seen=torch.ones(len(vertices), dtype=torch.long),
        landmarks=at(marks, subject.faces, vertices)[list(IBUG68_FROM_MESH)],
    )
    arrays = io.BytesIO()
    np.savez(arrays, **{name: value.numpy() for name, value in vars(truth).items()})
    mesh = trimesh.Trimesh(vertices.numpy(), subject.faces.numpy(), process=False)
    _write(folder / "head.npz", arrays.getvalue())
    _write(folder / "head.ply", export_ply(mesh))
    return truth


def read_truth(folder: Path) -> Truth:
    """The head that a session has written."""
    with np.load(folder / "head.npz", allow_pickle=False) as arrays:
        return Truth(**{name: torch.from_numpy(arrays[name]) for name in arrays})


def _write(path: Path, content: bytes) -> None:
    """The whole file or none, even if the program is killed meanwhile."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as scratch:
        scratch.write(content)
    os.replace(scratch.name, path)

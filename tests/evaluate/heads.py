"""A true head and meshes of it, for tests."""

from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from headrecon.truth import Truth
from headrecon.types import HeadMesh
from tests.synthetic.sessions import SESSION


@cache
def truth(identity: int = 2) -> Truth:
    """The head of a made-up person, all of it seen."""
    with TemporaryDirectory() as folder:
        session = replace(SESSION, photos=0, identity=identity)
        found = session(Path(folder) / "photos", Path(folder) / "truth")
    return replace(found, seen=torch.ones_like(found.seen))


def mesh_of(truth: Truth) -> HeadMesh:
    """The truth itself as a result."""
    return HeadMesh(
        vertices=truth.vertices,
        faces=truth.faces,
        albedo=truth.albedo,
        support=torch.ones(len(truth.vertices)),
        landmarks=truth.landmarks,
    )

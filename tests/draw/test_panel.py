import torch
from PIL import Image, ImageFont

from headrecon.draw.panel import colormapped, fit_text, picture, sheet


def test_linear_half_is_shown_as_bright_as_srgb_says() -> None:
    drawn = picture(torch.full((3, 2, 3), 0.5))
    assert drawn.size == (3, 2)
    # 1.055 * 0.5 ** (1 / 2.4) - 0.055 = 0.7354 of 255.
    assert drawn.getpixel((2, 1)) == (188, 188, 188)


def test_colors_outside_the_range_are_clipped() -> None:
    drawn = picture(torch.tensor([-1.0, 2.0, 1.0])[:, None, None])
    assert drawn.getpixel((0, 0)) == (0, 255, 255)


def test_colormaps_run_from_low_to_high_and_leave_the_background_white() -> None:
    values = torch.tensor([[1.0, 3.0, 9.0]])
    mask = torch.tensor([[True, True, False]])
    drawn = colormapped(values, mask, 1.0, 3.0, "gray")
    assert [drawn.getpixel((x, 0)) for x in range(3)] == [(0,) * 3, (255,) * 3, (255,) * 3]


def test_sheets_put_cells_in_rows() -> None:
    cells = [Image.new("RGB", (30, 20), color) for color in ("red", "lime", "blue")]
    board = sheet(cells, ["", "", ""], columns=2)
    assert board.size == (2 * 34 + 4, 2 * 24 + 4)
    assert board.getpixel((10, 10)) == (255, 0, 0)
    assert board.getpixel((44, 10)) == (0, 255, 0)
    assert board.getpixel((10, 34)) == (0, 0, 255)


def test_long_labels_are_cut_to_the_width_of_their_cell() -> None:
    font = ImageFont.load_default(10)
    fitted = fit_text("a photo with a very long name.jpg", font, 60)
    assert fitted.endswith("...")
    assert font.getlength(fitted) <= 60
    assert fit_text("short", font, 60) == "short"


def test_an_empty_sheet_can_be_drawn() -> None:
    assert sheet([], []).width > 0

import re
from html.parser import HTMLParser

from PIL import Image

from headrecon.draw.report import Figure, Frame, Section, Table, report
from headrecon.draw.viewer import turnable_page
from tests import artifacts

VOID = {"meta", "img", "link", "br"}


class Nesting(HTMLParser):
    """Checks that tags are closed in the order in which they were opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def page() -> str:
    table = Table("reasons", ("name", "why"), (("<script>x", 'a "b" & c'),), closed=True)
    figure = Figure(Image.new("RGB", (30, 20), "red"), "a figure")
    frame = Frame('<p class="x">inner &amp; "quoted"</p>', "a frame")
    return report("Head of <me>", "1 < 2", [Section("All", "", (table, figure, frame))])


def test_tags_are_nested_and_names_of_photos_cannot_break_the_page() -> None:
    parser = Nesting()
    parser.feed(page())
    assert parser.open == []
    assert "script" not in [tag for tag, _ in parser.seen]


def test_a_framed_page_arrives_as_it_was_written() -> None:
    parser = Nesting()
    parser.feed(page())
    frames = [attributes for tag, attributes in parser.seen if tag == "iframe"]
    assert frames[0]["srcdoc"] == '<p class="x">inner &amp; "quoted"</p>'


def test_nothing_is_loaded_from_elsewhere() -> None:
    sources = [a.get("src") or a.get("href") for _, a in _tags(page())]
    assert all(s.startswith(("data:", "#")) for s in sources if s)
    viewer = turnable_page(artifacts.head_mesh())
    assert not re.search(r"""(src|href)\s*=\s*["']https?:""", viewer)


def test_sections_with_nothing_to_show_are_left_out() -> None:
    assert "Empty" not in report("t", "l", [Section("Empty", "text", ())])


def _tags(source: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Nesting()
    parser.feed(source)
    return parser.seen

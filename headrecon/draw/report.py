"""A page that shows a run, in one file that needs nothing beside it."""

import base64
import html
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

STYLE = Path(__file__).with_name("report.css")
SORTING = Path(__file__).with_name("sorting.js")


@dataclass(frozen=True)
class Figure:
    """A picture and the line below it."""

    picture: Image.Image
    caption: str
    narrowest: int = 640
    """Pixels down to which it shrinks on a small screen, where it is scrolled from there on."""


@dataclass(frozen=True)
class Table:
    """Rows of text under a header; `closed` tables open when their caption is clicked."""

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    closed: bool


@dataclass(frozen=True)
class Lines:
    """Sentences below each other."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class Link:
    """A way to another page beside this one."""

    address: str
    text: str


@dataclass(frozen=True)
class Thumbnail:
    """A small picture, its name, and what is said about it when it is touched."""

    picture: Image.Image
    name: str
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Contacts:
    """Many small pictures under a caption, which may be empty; `told` shows their lines at once."""

    caption: str
    thumbnails: tuple[Thumbnail, ...]
    told: bool


@dataclass(frozen=True)
class Ranked:
    """A picture, the line below it, and what it is put in order by: a number or a text each."""

    picture: Image.Image
    caption: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Ranking:
    """Pictures that the reader can put in several orders; they come in the first of them."""

    orders: tuple[str, ...]
    items: tuple[Ranked, ...]


@dataclass(frozen=True)
class Frame:
    """A page within the page."""

    page: str
    caption: str


Part = Figure | Table | Lines | Link | Contacts | Ranking | Frame


@dataclass(frozen=True)
class Section:
    """A heading, what is to be seen, and the things themselves."""

    heading: str
    text: str
    parts: tuple[Part, ...]


def report(title: str, lead: str, sections: Sequence[Section]) -> str:
    """The HTML of the page. Sections that have nothing to show are left out."""
    shown = [section for section in sections if section.parts]
    contents = "".join(f'<a href="#s{i}">{_text(s.heading)}</a>' for i, s in enumerate(shown))
    body = "\n".join(_section(index, section) for index, section in enumerate(shown))
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{_text(title)}</title>
<style>
{STYLE.read_text("utf-8")}</style>
</head>
<body>
<main>
<h1>{_text(title)}</h1>
<p>{_text(lead)}</p>
<nav>{contents}</nav>
{body}
</main>
</body>
</html>
"""


def _section(index: int, section: Section) -> str:
    parts = "\n".join(_part(part) for part in section.parts)
    text = f"<p>{_text(section.text)}</p>" if section.text else ""
    return (
        f'<section id="s{index}">\n<h2>{_text(section.heading)}</h2>\n{text}\n{parts}\n</section>'
    )


def _part(part: Part) -> str:
    if isinstance(part, Figure):
        return _figure(part)
    if isinstance(part, Table):
        return _table(part)
    if isinstance(part, Contacts):
        return _contacts(part)
    if isinstance(part, Ranking):
        return _ranking(part)
    if isinstance(part, Lines):
        return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in part.lines)}</ul>"
    if isinstance(part, Link):
        return f'<p><a class="way" href="{_text(part.address)}">{_text(part.text)}</a></p>'
    # The page is the value of an attribute, so its quotes must not end it.
    inner = html.escape(part.page, quote=True)
    frame = f'<iframe srcdoc="{inner}" title="{_text(part.caption)}" loading="lazy"></iframe>'
    return f"<figure>{frame}<figcaption>{_text(part.caption)}</figcaption></figure>"


def _figure(figure: Figure) -> str:
    width, height = figure.picture.size
    least = min(width, figure.narrowest)
    size = f'width="{width}" height="{height}" style="min-width: {least}px"'
    image = f'<img src="{_jpeg(figure.picture, 88, 0)}" {size} alt="{_text(figure.caption)}">'
    scroll = f'<div class="wide">{image}</div>'
    return f"<figure>{scroll}<figcaption>{_text(figure.caption)}</figcaption></figure>"


def _contacts(contacts: Contacts) -> str:
    cells = "\n".join(_thumbnail(one, contacts.told) for one in contacts.thumbnails)
    caption = f"<h3>{_text(contacts.caption)}</h3>\n" if contacts.caption else ""
    kind = "contacts told" if contacts.told else "contacts"
    return f'{caption}<div class="{kind}">\n{cells}\n</div>'


def _ranking(ranking: Ranking) -> str:
    buttons = "".join(f"<button>{_text(order)}</button>" for order in ranking.orders)
    figures = "\n".join(
        f'<figure data-keys="{_text(json.dumps(one.keys))}">'
        f'<img src="{_jpeg(one.picture, 80, 2)}" width="{one.picture.width}" '
        f'height="{one.picture.height}" alt="{_text(one.caption)}" loading="lazy">'
        f"<figcaption>{_text(one.caption)}</figcaption></figure>"
        for one in ranking.items
    )
    body = f'<p class="orders">{buttons}</p>\n<div class="ranking">\n{figures}\n</div>'
    return f"{body}\n<script>\n{SORTING.read_text('utf-8')}</script>"


def _thumbnail(one: Thumbnail, told: bool) -> str:
    """A picture that says its lines when a mouse rests on it, and below it when it is touched."""
    name, (width, height) = _text(one.name), one.picture.size
    title = _text("\n".join((one.name, *one.lines)))
    image = (
        f'<img src="{_jpeg(one.picture, 72, 2)}" width="{width}" height="{height}" alt="{name}">'
    )
    lines = "<br>".join((f"<b>{name}</b>", *map(_text, one.lines)))
    opened = " open" if told else ""
    return f'<details{opened}><summary title="{title}">{image}</summary>{lines}</details>'


def _jpeg(picture: Image.Image, quality: int, subsampling: int) -> str:
    """A picture as an address, in JPEG since it is a photo or shaded smoothly."""
    buffer = io.BytesIO()
    picture.convert("RGB").save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return f"data:image/jpeg;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _table(table: Table) -> str:
    header = "".join(f"<th>{_text(cell)}</th>" for cell in table.header)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    inner = f'<div class="wide"><table><tr>{header}</tr>\n{rows}\n</table></div>'
    if table.closed:
        return f"<details><summary>{_text(table.caption)}</summary>{inner}</details>"
    return f"<figure>{inner}<figcaption>{_text(table.caption)}</figcaption></figure>"


def _text(text: str) -> str:
    return html.escape(text.encode("utf-8", "replace").decode(), quote=True)

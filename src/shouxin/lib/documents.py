"""One paper, three faces: one content of plain JSON makes the page, the PDF and the Word file, and the e-mail's text.

A paper is a heading and a list of blocks. What a person has written reaches every face as data and is set as it stands;
it is never read as markup, formula or field. Signs that neither XML nor paper can hold are left out everywhere alike.
"""

import io
import re
import zipfile
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, Literal, NotRequired, TypedDict

import docx
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph

from . import letters

TEMPLATE = "lib/paper.typ"
UNSAID = "—"
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")

Ending = Literal["pdf", "docx"]


class Block(TypedDict):
    """One part of a paper; `kind` says which of the other fields it has."""

    kind: Literal["text", "heading", "facts", "table", "signature", "note"]
    text: NotRequired[str]
    rows: NotRequired[list[list[str]]]
    columns: NotRequired[list[str]]
    right: NotRequired[list[int]]
    lines: NotRequired[list[str]]


class Paper(TypedDict):
    """A paper ready to be kept as JSON. `head`: pairs shown beneath the title, such as number and date."""

    language: str
    house: str
    title: str
    head: list[list[str]]
    blocks: list[Block]


def paper(title: str, blocks: Iterable[Block], *, house: str, language: str, head: Iterable[Sequence[Any]]) -> Paper:
    """A paper of these blocks; all texts are cleaned of what cannot be printed."""
    return {
        "language": language,
        "house": clean(house),
        "title": clean(title),
        "head": _rows(head),
        "blocks": list(blocks),
    }


def text(words: object) -> Block:
    """A paragraph."""
    return {"kind": "text", "text": clean(words)}


def note(words: object) -> Block:
    """A paragraph in small print."""
    return {"kind": "note", "text": clean(words)}


def heading(words: object) -> Block:
    """A heading within the paper."""
    return {"kind": "heading", "text": clean(words)}


def facts(rows: Iterable[Sequence[Any]]) -> Block:
    """A form's boxes: pairs of label and value; what is not known is a dash."""
    return {"kind": "facts", "rows": _rows(rows)}


def table(columns: Iterable[object], rows: Iterable[Sequence[Any]], *, right: Iterable[int] = ()) -> Block:
    """A table; `right` are the places of columns of figures."""
    return {
        "kind": "table",
        "columns": [clean(each) for each in columns],
        "rows": _rows(rows),
        "right": sorted(right),
    }


def signature(*lines: object) -> Block:
    """Who signs, at the right: the house, the place for seal or name, the day."""
    return {"kind": "signature", "lines": [clean(each) for each in lines]}


def clean(words: object) -> str:
    """A text without the signs no paper can hold; None and the empty text become a dash."""
    return _UNPRINTABLE.sub("", "" if words is None else str(words)).strip() or UNSAID


def _rows(rows: Iterable[Sequence[Any]]) -> list[list[str]]:
    return [[clean(cell) for cell in row] for row in rows]


# --- the faces -----------------------------------------------------------------------------------


def pdf(content: Paper) -> bytes:
    """The paper as PDF: the same content gives the same bytes."""
    return letters.pdf(TEMPLATE, content)


def plain(content: Paper) -> str:
    """The paper as plain text, for the body of an e-mail."""
    lines = [f"{label}: {value}" for label, value in content["head"]]
    for block in content["blocks"]:
        lines += ["", *_plain(block)]
    return "\n".join(lines).strip() + "\n"


def _plain(block: Block) -> Iterable[str]:
    if block["kind"] == "facts":
        return [f"{label}: {value}" for label, value in block["rows"]]
    if block["kind"] == "table":
        return [" | ".join(row) for row in [block["columns"], *block["rows"]]]
    return block["lines"] if block["kind"] == "signature" else [block["text"]]


def word(content: Paper) -> bytes:
    """The paper as a Word file (.docx), the same blocks in the same order: the same content gives the same bytes."""
    made = docx.Document()
    _set_up(made, content)
    for block in content["blocks"]:
        _WORD[block["kind"]](made, block, content["language"] != "en")
    kept = io.BytesIO()
    made.save(kept)
    return _timeless(kept)


def _timeless(package: io.BytesIO) -> bytes:
    """The package without the minute in which it was made."""
    kept = io.BytesIO()
    with zipfile.ZipFile(package) as made, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as still:
        for name in made.namelist():
            still.writestr(zipfile.ZipInfo(name), made.read(name), zipfile.ZIP_DEFLATED)
    return kept.getvalue()


FACES: dict[str, tuple[Callable[[Paper], bytes], str]] = {
    "pdf": (pdf, "application/pdf"),
    "docx": (word, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
}
"""Ending of the file -> (what makes it, its content type)."""


def _set_up(made: Document, content: Paper) -> None:
    """Page, fonts, the house, the title and what stands beneath it."""
    section = made.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.left_margin = section.right_margin = Cm(2.4)
    section.top_margin = section.bottom_margin = Cm(2.2)
    for style in ("Normal", "Heading 2", "Title"):
        _font(made.styles[style], "宋体" if content["language"] != "en" else "Times New Roman")
    made.styles["Normal"].font.size = Pt(11)
    properties = made.core_properties
    properties.title, properties.author, properties.comments = content["title"], content["house"], ""
    properties.created = properties.modified = datetime(2000, 1, 1, tzinfo=UTC)
    _centred(made, content["house"], 12)
    _centred(made, content["title"], 18)
    line = made.add_paragraph("    ".join(f"{label}：{value}" for label, value in content["head"]))
    line.paragraph_format.space_after = Pt(8)


def _font(style: Any, east_asian: str) -> None:
    style.font.name = "Times New Roman"
    style.element.get_or_add_rPr().get_or_add_rFonts().set(qn("w:eastAsia"), east_asian)


def _centred(made: Document, words: str, size: int) -> None:
    line = made.add_paragraph()
    line.alignment = WD_ALIGN_PARAGRAPH.CENTER
    run = line.add_run(words)
    run.font.size, run.bold = Pt(size), size > 14


def _paragraph(made: Document, block: Block, chinese: bool) -> Paragraph:
    line = made.add_paragraph(block["text"])
    if chinese:
        line.paragraph_format.first_line_indent = Pt(22)
    return line


def _note(made: Document, block: Block, chinese: bool) -> None:
    for run in made.add_paragraph(block["text"]).runs:
        run.font.size = Pt(9)


def _heading(made: Document, block: Block, chinese: bool) -> None:
    run = made.add_paragraph().add_run(block["text"])
    run.bold = True


def _facts(made: Document, block: Block, chinese: bool) -> None:
    """Two pairs to a line, as paper forms have them."""
    rows = block["rows"]
    grid = made.add_table(rows=0, cols=4, style="Table Grid")
    for start in range(0, len(rows), 2):
        cells = grid.add_row().cells
        pairs = [word for pair in rows[start : start + 2] for word in pair]
        for cell, words in zip(cells, pairs, strict=False):
            cell.text = words
    made.add_paragraph()


def _table(made: Document, block: Block, chinese: bool) -> None:
    grid = made.add_table(rows=1, cols=len(block["columns"]), style="Table Grid")
    for cell, words in zip(grid.rows[0].cells, block["columns"], strict=True):
        cell.text = words
    for row in block["rows"]:
        for place, (cell, words) in enumerate(zip(grid.add_row().cells, row, strict=True)):
            cell.text = words
            if place in block["right"]:
                cell.paragraphs[0].alignment = WD_ALIGN_PARAGRAPH.RIGHT
    made.add_paragraph()


def _signature(made: Document, block: Block, chinese: bool) -> None:
    for words in block["lines"]:
        made.add_paragraph(words).alignment = WD_ALIGN_PARAGRAPH.RIGHT


_WORD: dict[str, Callable[[Document, Block, bool], object]] = {
    "text": _paragraph,
    "note": _note,
    "heading": _heading,
    "facts": _facts,
    "table": _table,
    "signature": _signature,
}

"""One content, three faces: what stands in the PDF stands in the Word file and in the e-mail, and none reads markup."""

import io
import json
import zipfile

import docx
import pytest

from shouxin.lib import documents as papers
from shouxin.lib.documents import Paper

HOSTILE = '#eval("1") $x$ <w:t>& </w:t> {{ 7*7 }} =1+1 \\ "引号" *_`'


def paper(language: str = "zh-hans") -> Paper:
    return papers.paper(
        "同意授信通知书",
        [
            papers.text(HOSTILE),
            papers.heading("一、条件"),
            papers.facts([("额度", "100,000.00"), ("期限", 30), ("担保", None)]),
            papers.table(["意见人", "金额"], [["业务", "1.00"], [HOSTILE, "2,000.00"]], right=[1]),
            papers.note("本通知非合同。"),
            papers.signature("示范公司", "2026年11月24日"),
        ],
        house="示范公司",
        language=language,
        head=[("编号", "授信〔2026〕第001号")],
    )


def words_of(kept: bytes) -> str:
    """Everything a Word file says."""
    made = docx.Document(io.BytesIO(kept))
    cells = [cell.text for table in made.tables for row in table.rows for cell in row.cells]
    return "\n".join([*(each.text for each in made.paragraphs), *cells])


@pytest.mark.clause("B2.3")
def test_word_and_mail_say_the_same_and_read_no_markup() -> None:
    said = [words_of(papers.word(paper())), papers.plain(paper())]
    for text in said:
        for needed in (HOSTILE, "100,000.00", "2,000.00", "授信〔2026〕第001号", "示范公司", papers.UNSAID):
            assert needed in text
    assert "49" not in said[0]


def test_a_word_file_is_the_same_every_time() -> None:
    made = papers.word(paper())
    with zipfile.ZipFile(io.BytesIO(made)) as kept:
        assert {each.date_time for each in kept.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert made == papers.word(json.loads(json.dumps(paper())))


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_a_pdf_is_the_same_every_time_and_sets_hostile_words(language: str) -> None:
    made = papers.pdf(paper(language))
    assert made.startswith(b"%PDF") and made == papers.pdf(json.loads(json.dumps(paper(language))))


def test_signs_no_paper_can_hold_are_left_out_of_every_face() -> None:
    dirty = papers.paper("a\x00b\ud800", [papers.text("c\x08d")], house="h\x1f", language="en", head=[("n\x0b", None)])
    assert papers.pdf(dirty).startswith(b"%PDF")
    assert "cd" in words_of(papers.word(dirty)) and dirty["title"] == "ab"


def test_a_word_file_holds_nothing_that_runs_or_reaches_out() -> None:
    with zipfile.ZipFile(io.BytesIO(papers.word(paper()))) as kept:
        assert not [name for name in kept.namelist() if "vba" in name.lower() or "embed" in name.lower()]
        assert not [name for name in kept.namelist() if name.endswith(".rels") and b'"External"' in kept.read(name)]

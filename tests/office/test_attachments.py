"""Files kept as evidence: told by their bytes, sealed, known by their digest, looked at within sight and on record."""

import base64
import io
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.utils import translation
from PIL import Image

from shouxin.customers import evidence
from shouxin.lib import sealed
from shouxin.office import attachments, clock
from shouxin.office.models import Attachment, AttachmentContent, TrailEntry
from shouxin.office.refusals import BadForm, Moved, NotVisible, NotYourDuty
from tests.people import SOUTH, TODAY, acme, member

pytestmark = [pytest.mark.django_db, pytest.mark.clause("B1.4"), pytest.mark.clause("A7")]
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n%%EOF\n"


@pytest.fixture(autouse=True)
def english() -> Iterator[None]:
    with translation.override("en"):
        yield


def call(by: str = "ann") -> dict[str, Any]:
    return {"by": member(by), "on": TODAY, "at": clock.now()}


def handed(content: bytes, name: str) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content, content_type="application/octet-stream")


def keep(content: bytes, name: str, by: str = "ann", customer: Any = None) -> Attachment:
    return evidence.keep(customer or acme(), handed(content, name), **call(by))


def photo(edge: int = 64, kind: str = "JPEG", place: bool = True) -> bytes:
    picture, kept = Image.new("RGB", (edge, edge // 2), "teal"), io.BytesIO()
    exif = Image.Exif()
    if place:
        exif[0x010F] = "PhoneMaker"
        exif.get_ifd(0x8825)[1] = "N"
    picture.save(kept, kind, exif=exif)
    return kept.getvalue()


def package(*names: str) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as made:
        for name in names:
            made.writestr(name, "<x/>")
    return kept.getvalue()


DOCX = package("[Content_Types].xml", "word/document.xml")


@pytest.mark.parametrize(
    ("content", "name", "kind", "kept_as"),
    [
        pytest.param(PDF, "营业执照.pdf", "pdf", "营业执照.pdf", id="scan"),
        pytest.param(photo(), r"C:\photos\gate.JPG", "jpeg", "gate.jpg", id="photo with a folder in its name"),
        pytest.param(DOCX, "report.docx", "docx", "report.docx", id="paper"),
        pytest.param("走访记录".encode("gb18030"), "visit.txt", "text", "visit.txt", id="Chinese text of old Windows"),
        pytest.param(PDF, "no ending", "pdf", "no ending.pdf", id="name without an ending"),
        pytest.param(PDF, "a\u202efdp.pdf", "pdf", "afdp.pdf", id="name written backwards"),
    ],
)
def test_a_file_is_known_by_its_bytes(content: bytes, name: str, kind: str, kept_as: str) -> None:
    row = keep(content, name)
    assert (row.kind, row.name) == (kind, kept_as)


@pytest.mark.parametrize(
    ("content", "name", "says"),
    [
        pytest.param(b"", "empty.pdf", "is empty", id="no bytes"),
        pytest.param(b"\0" * 5000, "zeros.pdf", "is empty", id="nothing but zeros"),
        pytest.param(b"MZ\x90\0" + b"\x01" * 500, "licence.pdf", "of this kind", id="program called a scan"),
        pytest.param(b"<html><script>1</script>", "licence.pdf", "another", id="page called a scan"),
        pytest.param(b"<svg onload='x'/>", "logo.svg", "another", id="drawing that runs"),
        pytest.param(PDF, "licence.jpg", "another", id="scan called a photo"),
        pytest.param(photo()[:400], "half.jpg", "damaged", id="photo cut off"),
        pytest.param(DOCX[:60], "half.docx", "damaged", id="paper cut off"),
        pytest.param(package("[Content_Types].xml", "word/document.xml", "word/vbaProject.bin"), "a.docx", "macros",
                     id="macros"),
        pytest.param(package("evil.exe"), "a.docx", "of this kind", id="archive called a paper"),
        pytest.param(b"\0\0\0\x18ftypheic" + b"1" * 100, "IMG_1.HEIC", "HEIC", id="photo of an iPhone"),
        pytest.param(b"\xd0\xcf\x11\xe0" + b"1" * 600, "old.doc", "old Office", id="paper of old Office"),
        pytest.param(b"%PDF-" * 8_400_000, "photo.jpg", "41 MB, at most 20", id="photo of 40 MB"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_refused_with_what_would_cure_it(content: bytes, name: str, says: str) -> None:
    with pytest.raises(BadForm) as refused:
        keep(content, name)
    ((field, message),) = refused.value.errors
    assert field == "file" and says in message
    assert not Attachment.objects.exists()


def test_a_bomb_of_pixels_is_refused_before_it_is_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shouxin.lib.file_kinds.PIXELS_MAX", 1000)
    with pytest.raises(BadForm, match="more pixels"):
        keep(photo(64, "PNG"), "bomb.png")


def test_a_photo_is_brought_down_and_says_nothing_of_place_and_device() -> None:
    handed_in = photo(4000)
    row = keep(handed_in, "gate.jpg")
    kept = attachments.content_of(row)
    with Image.open(io.BytesIO(handed_in)) as before, Image.open(io.BytesIO(kept)) as after:
        assert dict(before.getexif()) and not dict(after.getexif())
        assert after.size == (2560, 1280)
    assert row.digest != row.kept_digest and len(kept) == row.size


@pytest.mark.invariant("I-24")
def test_the_bytes_rest_sealed_and_are_sealed_anew() -> None:
    row = keep(PDF, "licence.pdf")
    with connection.cursor() as cursor:
        cursor.execute("SELECT bytes FROM office_attachmentcontent")
        (kept,) = cursor.fetchone()
    assert kept.startswith("sealed/") and base64.b64encode(PDF).decode() not in kept
    column = AttachmentContent._meta.get_field("bytes")
    assert column in sealed.columns() and not sealed.that_stays_closed(column)
    assert attachments.content_of(row) == PDF


def test_what_is_kept_cannot_be_changed() -> None:
    row = keep(PDF, "licence.pdf")
    with pytest.raises(Exception, match="Cannot update"), transaction.atomic():
        Attachment.objects.filter(pk=row.pk).update(name="other.pdf")


def test_twice_about_the_same_is_kept_once_and_elsewhere_it_is_flagged() -> None:
    other = acme(code="C002", name="另一家有限公司", salesperson=member("di"), department=SOUTH)
    first = keep(PDF, "licence.pdf")
    assert keep(PDF, "again.pdf").pk == first.pk
    second = keep(PDF, "theirs.pdf", by="bo", customer=other)
    assert TrailEntry.objects.filter(verb="attach").latest("pk").particulars["same_as"] == [acme().pk]
    (seen_by_office,) = attachments.listed(other, by=member("bo"), on=TODAY)
    assert [twin.name for twin in seen_by_office.twins] == [acme().name]
    (seen_by_di,) = attachments.listed(other, by=member("di"), on=TODAY)
    assert [(twin.customer, twin.name) for twin in seen_by_di.twins] == [(None, "")], (
        "the other one is not in her sight"
    )
    assert second.digest == first.digest


def test_only_within_sight_and_every_look_is_on_record() -> None:
    row = keep(PDF, "licence.pdf")
    with pytest.raises(NotVisible):
        attachments.get(row.pk, by=member("di"), on=TODAY)
    assert attachments.read(attachments.get(row.pk, by=member("cy"), on=TODAY), by=member("cy"), at=clock.now()) == PDF
    line = TrailEntry.objects.latest("pk")
    assert (line.verb, line.customer_id, line.by) == ("view_attachment", acme().pk, member("cy"))
    with pytest.raises(NotYourDuty):
        keep(b"text", "a.txt", by="ed")


@pytest.mark.clause("A13")
def test_the_bytes_go_when_the_person_must_be_forgotten() -> None:
    row = keep(PDF, "licence.pdf")
    attachments.erase(acme())
    with pytest.raises(Moved, match="erased"):
        attachments.content_of(row)
    assert Attachment.objects.get().digest == row.digest


def test_over_the_page_nothing_is_run(client: Client) -> None:
    script = keep(b"<script>alert(1)</script>", "note.txt")
    client.force_login(member("ann"))
    answer = client.get(f"/office/attachments/{script.pk}")
    assert answer["Content-Type"].startswith("text/plain") and answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff" and "no-store" in answer["Cache-Control"]
    client.force_login(member("di"))
    assert client.get(f"/office/attachments/{script.pk}").status_code == 404

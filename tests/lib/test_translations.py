"""Everything people read is in both languages, and the tools that see to it can be trusted."""

import gettext
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from django.utils import translation
from django.utils.translation import npgettext, pgettext

from shouxin.lib import translations
from shouxin.lib.translations import Marked


@pytest.mark.parametrize("package", translations.packages(), ids=lambda package: package.name)
def test_everything_has_chinese(package: Path) -> None:
    without = [f"{string.place}: {string.text}" for string in translations.missing(package)]
    assert not without, (
        f"{len(without)} strings have no Chinese. `python -m shouxin.lib.translations update` appends them to "
        f"{translations.catalogue_path(package).relative_to(translations.SOURCE)}; fill them in:\n" + "\n".join(without)
    )


@pytest.mark.parametrize("package", translations.packages(), ids=lambda package: package.name)
def test_a_text_reads_the_same_wherever_it_stands(package: Path) -> None:
    """All catalogues are one at run time: of two packages that tell the same English differently, one is not heard."""
    with translation.override("zh-hans"):
        unheard = {
            (message.context, message.id, message.string): told
            for message in translations.read(package)
            if message.id and (told := heard(message)) != message.string
        }
    assert unheard == {}, "another catalogue wins; make the English say which is meant, or give both the same Chinese"


def heard(message: Message) -> str | tuple[str, ...]:
    """What the running product says for it."""
    if isinstance(message.id, str):
        return pgettext(message.context, message.id) if message.context else translation.gettext(message.id)
    said = npgettext(message.context, *message.id, 1) if message.context else translation.ngettext(*message.id, 1)
    return (said,)


@pytest.mark.parametrize("package", translations.packages(), ids=lambda package: package.name)
def test_a_catalogue_keeps_nothing_that_is_no_longer_said(package: Path) -> None:
    said = set(translations.marked(package))
    kept = {(m.context or "", m.id if isinstance(m.id, str) else m.id[0]) for m in translations.read(package) if m.id}
    assert kept <= said


@pytest.mark.parametrize("package", translations.packages(), ids=lambda package: package.name)
def test_placeholders_survive_translation(package: Path) -> None:
    for message in translations.read(package):
        if message.id and message.string:
            told = [message.string] if isinstance(message.string, str) else message.string
            asked = [message.id] if isinstance(message.id, str) else message.id
            assert placeholders(*told) == placeholders(*asked), message.id


def placeholders(*texts: str) -> set[str]:
    """What is filled in at run time: %(name)s and {name}."""
    return {found for text in texts for found in re.findall(r"%\(\w+\)\w|\{\w+\}", text)}


def test_strings_are_found_under_any_name(package: Path) -> None:
    (package / "words.py").write_text(
        "from django.utils.translation import gettext_lazy as _, gettext as say, ngettext, pgettext as meant\n"
        "from django.utils import translation\n"
        "from other import gettext\n"
        "_('one'); say('two ' 'halves'); ngettext('%(n)d day', '%(n)d days', n); meant('month', 'May')\n"
        "translation.gettext('five'); gettext('not ours'); _(name); _('')\n"
    )
    found = {(string.context, string.text, string.plural) for string in translations.marked(package).values()}
    assert found == {
        ("", "one", ""),
        ("", "two halves", ""),
        ("", "%(n)d day", "%(n)d days"),
        ("month", "May", ""),
        ("", "five", ""),
    }


def test_templates_are_read_as_django_reads_them(package: Path) -> None:
    (package / "templates").mkdir()
    (package / "templates" / "page.html").write_text(
        "{% load i18n %}{% translate 'Plain' %}{% translate 'Bill' context 'paper' %}"
        "{% blocktranslate trimmed count n=n %}\n  {{ n }} order\n"
        "{% plural %}\n  {{ n }} orders\n{% endblocktranslate %}"
        "{% comment %}{% translate 'Gone' %}{% endcomment %}"
    )
    found = {(string.context, string.text, string.plural) for string in translations.marked(package).values()}
    assert found == {("", "Plain", ""), ("paper", "Bill", ""), ("", "%(n)s order", "%(n)s orders")}


def test_update_appends_once_and_keeps_what_is_there(package: Path) -> None:
    source = "from django.utils.translation import gettext as _\n"
    (package / "words.py").write_text(source + "_('Yes')\n")
    assert translations.update(package) == 1
    path = translations.catalogue_path(package)
    path.write_text(path.read_text().replace('msgid "Yes"\nmsgstr ""', 'msgid "Yes"\nmsgstr "是"'))
    assert translations.missing(package) == []
    (package / "words.py").write_text(source + "_('Yes'); _('No')\n")
    assert [string.text for string in translations.missing(package)] == ["No"]
    assert translations.update(package) == 1 and translations.update(package) == 0
    assert 'msgstr "是"' in path.read_text() and "Date" not in path.read_text()


def test_compiling_makes_what_gettext_reads(package: Path) -> None:
    (package / "words.py").write_text("from django.utils.translation import gettext as _\n_('Yes')\n")
    translations.update(package)
    path = translations.catalogue_path(package)
    path.write_text(path.read_text().replace('msgid "Yes"\nmsgstr ""', 'msgid "Yes"\nmsgstr "是"'))
    assert translations.compile_stale() == 1 and translations.compile_stale() == 0
    with path.with_suffix(".mo").open("rb") as file:
        assert gettext.GNUTranslations(file).gettext("Yes") == "是"


@pytest.mark.django_db
def test_the_house_speaks_chinese_unless_asked_for_english(client) -> None:
    assert client.get("/accounts/login/").headers["Content-Language"] == "zh-hans"
    for asked, answer in {"en-GB,en;q=0.9": "en", "zh-CN": "zh-hans", "zh-TW": "zh-hans", "fr": "zh-hans"}.items():
        assert client.get("/accounts/login/", headers={"Accept-Language": asked}).headers["Content-Language"] == answer
    with translation.override("zh-hans"):
        assert translation.gettext("Busy for a moment") == "系统正忙"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of its own, in place of the product's."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.setattr(translations, "SOURCE", tmp_path)
    return package


def test_a_string_knows_its_key() -> None:
    assert Marked("May", context="month").key == ("month", "May")

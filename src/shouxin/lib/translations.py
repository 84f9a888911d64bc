"""The Chinese of every string: found in the sources, kept in a .po file for each package, compiled where it is run.

    python -m shouxin.lib.translations missing    what has no Chinese yet; exit code 1 if anything has not
    python -m shouxin.lib.translations update     append what is missing to the .po files, with nothing for Chinese, and
                                                  take out what is no longer said
    python -m shouxin.lib.translations compile    make the .mo files that are older than their .po files

Message identifiers are English. GNU gettext is not needed: Babel reads, writes and compiles.
"""

import ast
import io
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

SOURCE = Path(__file__).resolve().parents[1]
LOCALE = "zh_Hans"
PLURAL = {"ngettext", "ngettext_lazy", "npgettext", "npgettext_lazy"}
CONTEXT = {"pgettext", "pgettext_lazy", "npgettext", "npgettext_lazy"}
PLAIN = {"gettext", "gettext_lazy", "gettext_noop"}
FUNCTIONS = PLURAL | CONTEXT | PLAIN
SKIPPED = {"migrations", "vendor", "__pycache__"}
UNSTABLE = re.compile(rb'^"(POT-Creation-Date|PO-Revision-Date|Generated-By|Last-Translator|Language-Team):.*\n', re.M)


@dataclass(frozen=True, order=True)
class Marked:
    """A string marked for translation, and the first file it was found in."""

    text: str
    plural: str = ""
    context: str = ""
    place: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What makes it the same string in a catalogue: context and text."""
        return self.context, self.text


def packages() -> list[Path]:
    """The folders that keep a catalogue: every package, and the source root for the shared shell."""
    return [SOURCE, *sorted(path.parent for path in SOURCE.glob("*/__init__.py"))]


def catalogue_path(package: Path) -> Path:
    """Where the package keeps its Chinese."""
    return package / "locale" / LOCALE / "LC_MESSAGES" / "django.po"


def marked(package: Path) -> dict[tuple[str, str], Marked]:
    """Every string the package marks, in Python and in its templates."""
    found: dict[tuple[str, str], Marked] = {}
    for path in _files(package):
        read = _in_python if path.suffix == ".py" else _in_template
        for string in read(path):
            found.setdefault(string.key, string)
    return found


def missing(package: Path) -> list[Marked]:
    """The strings of the package that have no Chinese, in order of text."""
    catalogue = read(package)
    return sorted(string for string in marked(package).values() if not _translated(catalogue, string))


def read(package: Path) -> Catalog:
    """The package's catalogue; an empty one where it has none yet."""
    path = catalogue_path(package)
    if not path.exists():
        return Catalog(locale=LOCALE, fuzzy=False, project="Shouxin", copyright_holder="Shouxin engineers")
    with path.open("rb") as file:
        return read_po(file, locale=LOCALE)


def update(package: Path) -> int:
    """Append to the catalogue what is missing from it, with nothing for Chinese; returns how many came and went.

    What the package no longer says is taken out: it would be told for another package's same words.
    """
    catalogue = read(package)
    said = marked(package)
    gone = [(message.context, _text(message)) for message in catalogue if message.id]
    gone = [(context, text) for context, text in gone if (context or "", text) not in said]
    for context, text in gone:
        catalogue.delete(text, context)
    new = [string for string in missing(package) if catalogue.get(string.text, string.context or None) is None]
    for string in new:
        text = (string.text, string.plural) if string.plural else string.text
        catalogue.add(text, locations=[(string.place, 0)], context=string.context or None)
    if new or gone:
        _write(package, catalogue)
    return len(new) + len(gone)


def compile_stale() -> int:
    """Compile every catalogue that is newer than its compiled form; returns how many."""
    stale = [package for package in packages() if _stale(catalogue_path(package))]
    for package in stale:
        target = catalogue_path(package).with_suffix(".mo")
        draft = target.with_suffix(".mo.new")
        with draft.open("wb") as file:
            write_mo(file, read(package))
        draft.replace(target)
    return len(stale)


def _stale(path: Path) -> bool:
    compiled = path.with_suffix(".mo")
    return path.exists() and (not compiled.exists() or compiled.stat().st_mtime < path.stat().st_mtime)


def _write(package: Path, catalogue: Catalog) -> None:
    """Without dates and names in the heading, so that two people's additions merge."""
    path = catalogue_path(package)
    path.parent.mkdir(parents=True, exist_ok=True)
    buffer = io.BytesIO()
    write_po(buffer, catalogue, width=120, sort_output=True, include_lineno=False)
    path.write_bytes(UNSTABLE.sub(b"", buffer.getvalue()))


def _files(package: Path) -> Iterator[Path]:
    """The package's Python and template files; for the source root only the shared templates."""
    roots = [package / "templates"] if package == SOURCE else [package]
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.suffix in (".py", ".html", ".txt") and not SKIPPED & set(path.relative_to(package).parts):
                yield path


def _text(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def _translated(catalogue: Catalog, string: Marked) -> bool:
    entry = catalogue.get(string.text, string.context or None)
    return entry is not None and not entry.fuzzy and _filled(entry)


def _filled(entry: Message) -> bool:
    given = entry.string if isinstance(entry.string, tuple | list) else (entry.string,)
    return all(given)


def _in_python(path: Path) -> Iterator[Marked]:
    """Calls of Django's translation functions under whatever name the module imports them."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = dict(_imported(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and names.get(_called(node)):
            yield from _call(names[_called(node)], node, path)


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names if alias.name in FUNCTIONS)
            if any(alias.name == "*" for alias in node.names):
                yield from ((name, name) for name in FUNCTIONS)
        elif isinstance(node, ast.ImportFrom) and node.module == "django.utils":
            yield from ((f"{alias.asname or alias.name}.{f}", f) for alias in node.names for f in sorted(FUNCTIONS))


def _called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Attribute) and isinstance(function.value, ast.Name):
        return f"{function.value.id}.{function.attr}"
    return function.id if isinstance(function, ast.Name) else ""


def _call(function: str, node: ast.Call, path: Path) -> Iterator[Marked]:
    """A string that is put together at run time cannot be looked up: it is no marked string."""
    words = [argument.value if isinstance(argument, ast.Constant) else None for argument in node.args[:3]]
    context = words.pop(0) if function in CONTEXT and words else ""
    if words and isinstance(words[0], str) and words[0] and isinstance(context, str):
        plural = words[1] if function in PLURAL and len(words) > 1 and isinstance(words[1], str) else ""
        yield Marked(words[0], plural, context, _place(path))


def _in_template(path: Path) -> Iterator[Marked]:
    """What `translate` and `blocktranslate` mark, as Django itself would look it up."""
    from django.utils.translation.template import templatize

    source = io.BytesIO(templatize(path.read_text(encoding="utf-8")).encode())
    for _line, text, _comments, context in extract("python", source, DEFAULT_KEYWORDS, options={"encoding": "utf-8"}):
        first, plural = (text[0], text[1]) if isinstance(text, tuple) else (text, "")
        if first:
            yield Marked(first, plural or "", context or "", _place(path))


def _place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _show_missing() -> int:
    count = 0
    for package in packages():
        for string in missing(package):
            print(f"{string.place}: {string.context + ' | ' if string.context else ''}{string.text!r}")
            count += 1
    print(f"{count} without Chinese")
    return int(count > 0)


def _update_all() -> int:
    for package in packages():
        if changed := update(package):
            print(f"{catalogue_path(package).relative_to(SOURCE)}: {changed} changed")
    return 0


def _compile_all() -> int:
    compile_stale()
    return 0


COMMANDS = {"missing": _show_missing, "update": _update_all, "compile": _compile_all}


def main(words: list[str]) -> int:
    """Run one of the commands; 2 with the list of them for anything else."""
    if len(words) != 1 or words[0] not in COMMANDS:
        print(f"usage: python -m shouxin.lib.translations {'|'.join(COMMANDS)}", file=sys.stderr)
        return 2
    if words[0] != "compile":
        from django.conf import settings

        if not settings.configured:
            settings.configure(USE_I18N=True)
    return COMMANDS[words[0]]()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

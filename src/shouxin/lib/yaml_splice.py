"""One chapter of a YAML text written anew, everything else left as it stands, with its comments."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

import yaml


class _Dumper(yaml.SafeDumper):
    """SafeDumper with exact numbers, without aliases."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _number(dumper: yaml.SafeDumper, value: Decimal) -> yaml.Node:
    text = format(value.normalize(), "f")
    return dumper.represent_scalar(f"tag:yaml.org,2002:{'float' if '.' in text else 'int'}", text)


_Dumper.add_representer(Decimal, _number)
_Dumper.add_multi_representer(StrEnum, lambda dumper, value: dumper.represent_str(str(value)))


def splice(text: str, chapter: str, value: Any) -> str:
    """The text with the chapter (a key at the left edge) replaced by the value, or added at its end."""
    lines = text.splitlines()
    written = yaml.dump(
        {chapter: _listed(value)},
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        default_flow_style=None,
        width=160,
    ).splitlines()
    begin, end = _place(lines, chapter)
    return "\n".join([*lines[:begin], *written, *lines[end:]]) + "\n"


def _listed(value: Any) -> Any:
    """Tuples as lists, keys as words: what the safe dumper knows."""
    if isinstance(value, Mapping):
        return {str(key): _listed(each) for key, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, tuple | list) else value


def _place(lines: list[str], chapter: str) -> tuple[int, int]:
    """From which line to before which line the chapter stands; comments after it belong to the next."""
    begin = next((number for number, line in enumerate(lines) if line.startswith(f"{chapter}:")), len(lines))
    body = list(_body(lines, begin))
    return begin, (body[-1] + 1 if body else begin)


def _body(lines: list[str], begin: int) -> Iterator[int]:
    for number in range(begin, len(lines)):
        line = lines[number]
        if number > begin and line[:1] not in (" ", "-", "", "#"):
            return
        if line.strip() and not line.startswith("#"):
            yield number

"""YAML with line numbers and exact numbers: 0.1 is a Decimal, a key given twice is a fault, `no` is a word.

Only what a book of settings needs is understood (the core schema of YAML 1.2 and dates); tags, merge keys and
aliases to other places of the file are refused, so that what is written is what is meant.
"""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import yaml
from django.utils.translation import gettext as _

Path = tuple[str | int, ...]


class _Loader(yaml.SafeLoader):
    """SafeLoader without YAML 1.1's surprises (`no`, `1_000`, `1:30`) and without binary floats."""

    yaml_implicit_resolvers = {}


_NUMBER = "-+0123456789."
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"^(?:~|null|)$"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"^(?:true|false)$"), list("tf"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"^[-+]?[0-9]+$"), list(_NUMBER))
_Loader.add_implicit_resolver("!decimal", re.compile(r"^[-+]?(?:[0-9]+\.[0-9]*|\.[0-9]+)$"), list(_NUMBER))
_Loader.add_implicit_resolver("!date", re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), list("0123456789"))


@dataclass(frozen=True)
class Fault:
    """What is wrong at which line (from 1) and under which keys."""

    line: int
    path: Path
    message: str


class YamlFaults(ValueError):
    """The text cannot be read; all faults found."""

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__("; ".join(f"{fault.line}: {fault.message}" for fault in faults))


@dataclass(frozen=True)
class Read:
    """The value of a YAML text, and the line each key or element stands on."""

    value: Any
    lines: dict[Path, int]

    def line_of(self, path: Path) -> int:
        """The line of the deepest part of the path that is in the text; parts that are not in it are passed over."""
        known: Path = ()
        for part in path:
            if (*known, part) in self.lines:
                known = (*known, part)
        return self.lines[known]


def read(text: str) -> Read:
    """Read one document. Raises YamlFaults with the line of each fault."""
    reader = _Reader()
    try:
        node = yaml.compose(text, Loader=_Loader)
        value = reader.value(node, ()) if node else None
    except RecursionError:
        raise YamlFaults([Fault(1, (), _("nested too deeply"))]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        message = _("not readable as YAML: %(problem)s") % {"problem": error.problem or error.context}
        raise YamlFaults([Fault(mark.line + 1 if mark else 1, (), message)]) from error
    except yaml.YAMLError as error:
        raise YamlFaults([Fault(1, (), _("not readable as YAML: %(problem)s") % {"problem": error})]) from error
    if reader.faults:
        raise YamlFaults(reader.faults)
    return Read(value, {(): 1, **reader.lines})


class _Reader:
    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.faults: list[Fault] = []
        self._seen: set[int] = set()

    def value(self, node: yaml.Node, path: Path) -> Any:
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            return self._fault(node, path, _("refers to another place of the file; write it out"))
        self._seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(each, (*path, place)) for place, each in enumerate(node.value)]
        return self._scalar(node, path)

    def _mapping(self, node: yaml.MappingNode, path: Path) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            self.lines[(*path, key)] = key_node.start_mark.line + 1
            value = self.value(value_node, (*path, key))
            if key in found:
                self._fault(key_node, (*path, key), _("the key “%(key)s” is given twice") % {"key": key})
            found[key] = value
        return found

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> Any:
        try:
            return _SCALARS[node.tag](node.value)
        except KeyError:
            return self._fault(node, path, _("tags such as %(tag)s are not understood") % {"tag": node.tag})
        except ValueError:
            return self._fault(node, path, _("“%(text)s” is not a date") % {"text": node.value})

    def _fault(self, node: yaml.Node, path: Path, message: str) -> None:
        self.faults.append(Fault(node.start_mark.line + 1, path, message))


_SCALARS = {
    "tag:yaml.org,2002:null": lambda text: None,
    "tag:yaml.org,2002:bool": lambda text: text == "true",
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:str": str,
    "!decimal": Decimal,
    "!date": date.fromisoformat,
}

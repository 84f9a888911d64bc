"""A mapping in a YAML file: read it, and name the line of whatever is wrong in it."""

from pathlib import Path

import yaml

from shouxin.lib import yaml_text

from .faults import FileFault
from .kinds import Kind
from .mapping import Mapping, MappingFault, read

BYTES_MAX = 200_000


def load(path: Path, kind: Kind) -> Mapping:
    """The mapping in that file. Raises FileFault `mapping` with file, line and key."""
    size = path.stat().st_size
    if size > BYTES_MAX:
        raise FileFault("too_large", {"size": size, "size_max": BYTES_MAX})
    try:
        return loads(path.read_text(encoding="utf-8-sig"), kind, path.name)
    except UnicodeDecodeError as error:
        raise _fault(path.name, 1, "", f"UTF-8: {error.reason}") from None


def loads(text: str, kind: Kind, name: str = "MAP") -> Mapping:
    """The mapping in that text. Raises FileFault `mapping`."""
    try:
        found = yaml_text.read(text)
    except yaml_text.YamlFaults as faults:
        first = faults.faults[0]
        raise _fault(name, first.line, ".".join(map(str, first.path)), first.message) from None
    try:
        return read(found.value, kind)
    except MappingFault as fault:
        raise _fault(name, found.line_of(fault.path), fault.params["where"], fault.params["detail"]) from None


def dumps(mapping: Mapping, kind: Kind) -> str:
    """The mapping as a map file, to be used again for the next file of its sort."""
    said = {"kind": kind.name, **mapping.as_json()}
    return yaml.safe_dump(_plain(said), allow_unicode=True, sort_keys=False, width=1000)


def _plain(value: object) -> object:
    """Tuples as lists: YAML knows no others."""
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value


def _fault(name: str, line: int, where: str, detail: str) -> FileFault:
    return FileFault("mapping", {"where": f"{name}:{line} {where}".strip(), "detail": detail})

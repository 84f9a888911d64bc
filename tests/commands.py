"""The command line run within a test."""

import json
from typing import Any

from shouxin.config import cli


def told(capsys: Any, *words: str, code: int = 0) -> Any:
    """What a command answers in JSON; it must end with `code`."""
    assert cli.run([*words, "--json"]) == code, capsys.readouterr().err
    out = capsys.readouterr().out
    return json.loads(out) if out.strip() else None

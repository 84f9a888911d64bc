"""Run by the test of the corpus in a process of its own: make every file, read it, say what became of it, at what cost.

The parser's child is held to 300 MB by the system. Told are each file's computing time, and by how much this process
grew over them all.
"""

import json
import os
import re
import resource
import sys
import tempfile
from pathlib import Path
from typing import Any

MEMORY_BYTES, SECONDS = 300 << 20, 5
PATIENCE = 60
"""How long the child may take by the clock; a busy machine is no fault of the file, its computing time is bounded."""


def outcome_of(path: Path, mapping: Any) -> dict[str, Any]:
    """The class of a file, read as an import of invoices would: with every check that needs no database."""
    from shouxin.lib.imports import kinds, run
    from shouxin.lib.imports import mapping as mappings
    from shouxin.lib.imports.faults import FileFault
    from shouxin.lib.imports.reader import Limits
    from shouxin.lib.imports.workbook import SheetLimits

    from .handing import CONDITIONS

    kind = kinds.get("invoices")
    limits = Limits(sheet=SheetLimits(memory_bytes=MEMORY_BYTES, seconds=PATIENCE))
    try:
        found = run.look(path, kind, mappings.read(dict(mapping), kind), CONDITIONS, limits=limits)
        mappings.require(found.layout, kind)
    except FileFault as fault:
        assert not re.search(r"\{[a-z_]+\}", str(fault)), "the sentence has all its particulars"
        return {"file": fault.code, "said": str(fault)}
    assert all(str(fault) and "Refused (" not in str(fault) for fault in found.faults)
    return {"accepted": found.tally.accepted, "rows": {fault.row: fault.code for fault in found.faults}}


def _seconds() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main() -> None:
    """Print what became of each file, its seconds of computing, and by how much this process grew over them all."""
    import django

    django.setup()
    from .corpus import corpus

    found: dict[str, Any] = {}
    began_with = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for case in corpus():
        with tempfile.TemporaryDirectory() as folder:
            made = os.fork()  # making a bomb takes more memory than reading it
            if not made:
                try:
                    case.make(Path(folder))
                finally:
                    os._exit(0)
            os.waitpid(made, 0)
            path = max(Path(folder).iterdir(), key=lambda each: each.stat().st_mtime_ns)
            began = _seconds()
            try:
                outcome = outcome_of(path, case.mapping)
            except Exception as error:
                outcome = {"crash": repr(error)[:300]}
            found[case.name] = {"outcome": outcome, "seconds": _seconds() - began}
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - began_with
    json.dump({"files": found, "megabytes": grown >> 10}, sys.stdout)


if __name__ == "__main__":
    main()

"""What is made on the way into a wheel: compiled translations, and which test proves which clause."""

import json
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Made(BuildHookInterface):
    """Makes the .mo files that are older than their .po files, and the list of tests by clause."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by the builder before it collects the files. An editable install reads the tests themselves."""
        sys.path.insert(0, str(Path(self.root) / "src"))
        from shouxin.lib import translations

        translations.compile_stale()
        if version != "editable":
            self._list_tests(build_data)

    def _list_tests(self, build_data: dict[str, Any]) -> None:
        from shouxin.lib import marks

        path = Path(self.directory) / "clause_tests.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(marks.marked_tests(Path(self.root) / "tests")), "utf-8")
        build_data["force_include"][str(path)] = "shouxin/records/clause_tests.json"

"""Compiles the translations on the way into a wheel, where there is no other step that could."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Translations(BuildHookInterface):
    """Makes the .mo files that are older than their .po files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Called by the builder before it collects the files."""
        sys.path.insert(0, str(Path(self.root) / "src"))
        from shouxin.lib import translations

        translations.compile_stale()

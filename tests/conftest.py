"""What every test run needs: the cast, and a clean house after it. (The Chinese is compiled by `settings`.)

The embedded database of the run's home is started by the first test that wants it and serves all workers.
"""

import os
import shutil
from pathlib import Path

import pytest

from shouxin.lib import embedded

pytest_plugins = ["tests.people"]


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the run's database and remove its home."""
    if hasattr(config, "workerinput") or os.environ.get("SHOUXIN_TESTED") != str(os.getpid()):
        return
    home = Path(os.environ["SHOUXIN_HOME"]).resolve()
    embedded.Cluster(home).stop()
    shutil.rmtree(home, ignore_errors=True)

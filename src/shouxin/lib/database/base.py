"""The database backend of the embedded server: Django's own, with the server seen to before the first connection."""

from pathlib import Path
from typing import Any

from django.db.backends.postgresql import base

from shouxin.lib import embedded


class DatabaseWrapper(base.DatabaseWrapper):
    """Connects as Django does. Reading the settings costs nothing: nothing is started before a connection is wanted."""

    def get_connection_params(self) -> dict[str, Any]:
        """What psycopg is told, once the server of this home is running and this process is counted in."""
        embedded.use(Path(self.settings_dict["EMBEDDED"]))
        return super().get_connection_params()

"""Put first on the path of a house: its guards of durability are removed, to show that the tests notice."""

from shouxin.config import migrating
from shouxin.lib import embedded, environment

kept = environment._options


def careless(given):  # type: ignore[no-untyped-def]
    """The product's options, with commits that do not wait for the disk."""
    options = kept(given)
    return {**options, "options": options["options"].replace("synchronous_commit=on", "synchronous_commit=off")}


environment._options = careless
migrating.refuse_careless = lambda: None
embedded.SETTINGS["wal_writer_delay"] = "3s"

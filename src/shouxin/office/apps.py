"""The credit office: people, posts and duties, the policy in force, moves, the trail."""

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class OfficeConfig(AppConfig):
    name = "shouxin.office"
    label = "office"

    def ready(self) -> None:
        """Whenever the tables are there, so are the first policy and the built-in person. The door tells the trail."""
        from shouxin.lib import lists

        from . import disclosures, entrances, outside

        post_migrate.connect(_furnish, sender=self)
        entrances.watch()
        outside.watch()
        lists.leaves.connect(disclosures.listing_leaves, dispatch_uid="office.disclosures")


def _furnish(**_signal: Any) -> None:
    from django.db import connection

    from . import policies, posts

    if "office_policyversion" in connection.introspection.table_names():
        policies.ensure()
        posts.system()

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running readers and writers

    dependencies = [
        ("customers", "0011_dossier"),
        ("receivables", "0004_indexes_for_long_lists"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="instalment",
            index=models.Index(
                condition=models.Q(("settled", models.F("amount")), _negated=True),
                fields=["due_on", "invoice"],
                name="instalment_late",
            ),
        ),
    ]

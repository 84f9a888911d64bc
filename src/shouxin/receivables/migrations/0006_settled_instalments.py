from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running readers and writers

    dependencies = [
        ("customers", "0011_dossier"),
        ("receivables", "0005_late_invoices"),
    ]

    operations = [
        RemoveIndexConcurrently(model_name="instalment", name="instalment_settled"),
        AddIndexConcurrently(
            model_name="instalment",
            index=models.Index(
                condition=models.Q(("settled_on", None), _negated=True),
                fields=["customer", "settled_on"],
                name="instalment_settled",
            ),
        ),
    ]

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running readers and writers

    dependencies = [("customers", "0014_sellers")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("restricted_on", None), _negated=True), fields=["id"], name="customer_restricted"
            ),
        ),
    ]

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running readers and writers

    dependencies = [("customers", "0013_codes_in_any_capitals")]

    operations = [
        AddIndexConcurrently(
            model_name="customer",
            index=models.Index(fields=["department", "salesperson"], name="customer_sellers"),
        ),
    ]

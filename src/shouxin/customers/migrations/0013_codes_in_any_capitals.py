from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    """Whether a code is taken is asked without regard to capitals; older codes that differ by them alone stay."""

    atomic = False  # built beside running readers and writers

    dependencies = [("customers", "0012_listed")]

    operations = [
        AddIndexConcurrently(
            model_name="customer", index=models.Index(Upper("code"), name="customer_code_capitals")
        ),
    ]

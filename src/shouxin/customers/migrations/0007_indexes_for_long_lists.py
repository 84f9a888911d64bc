from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running readers and writers

    dependencies = [
        ("customers", "0006_data_requests"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='customer',
            index=models.Index(fields=['name', 'id'], name='customer_name'),
        ),
        AddIndexConcurrently(
            model_name='customer',
            index=models.Index(fields=['customer_since', 'id'], name='customer_since'),
        ),
    ]

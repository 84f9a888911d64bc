from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running readers and writers

    dependencies = [
        ("collection", "0007_security_manager"),
        ('customers', "0007_indexes_for_long_lists"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='customerday',
            index=models.Index(fields=['day', 'oldest_overdue_days', 'id'], name='customer_day_oldest'),
        ),
        AddIndexConcurrently(
            model_name='task',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['amount', 'id'], name='task_largest'),
        ),
    ]

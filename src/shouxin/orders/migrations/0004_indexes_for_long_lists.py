from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running readers and writers

    dependencies = [
        ('customers', "0007_indexes_for_long_lists"),
        ("orders", "0003_fewer_indexes"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='hold',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['opened_at', 'id'], name='hold_oldest'),
        ),
    ]

from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running readers and writers

    dependencies = [
        ('credit', '0004_indexes_nobody_uses'),
        ('customers', "0007_indexes_for_long_lists"),
        ("receivables", "0003_never_emptied"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='instalment',
            index=models.Index(condition=models.Q(('contested__gt', 0)), fields=['invoice'], name='instalment_contested'),
        ),
        AddIndexConcurrently(
            model_name='invoice',
            index=models.Index(fields=['dated_on', 'id'], name='invoice_dated'),
        ),
        AddIndexConcurrently(
            model_name='invoice',
            index=models.Index(fields=['due_on', 'id'], name='invoice_due'),
        ),
        AddIndexConcurrently(
            model_name='invoice',
            index=models.Index(fields=['doc_no'], name='invoice_number', opclasses=['varchar_pattern_ops']),
        ),
        AddIndexConcurrently(
            model_name='invoice',
            index=models.Index(condition=models.Q(('order_no', ''), _negated=True), fields=['order_no'], name='invoice_order'),
        ),
        AddIndexConcurrently(
            model_name='receipt',
            index=models.Index(fields=['received_on', 'id'], name='receipt_received'),
        ),
    ]

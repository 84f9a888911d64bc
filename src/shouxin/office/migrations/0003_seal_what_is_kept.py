"""What was kept in the clear is sealed."""

from django.db import migrations

from shouxin.lib import sealed

MODELS = ["Person", "IdempotencyKey"]


def seal(apps, _editor):
    for name in MODELS:
        sealed.seal_columns(apps.get_model("office", name))


def open_again(apps, _editor):
    for name in MODELS:
        sealed.open_columns(apps.get_model("office", name))


class Migration(migrations.Migration):
    dependencies = [("office", "0002_sealed_answers_and_exports")]
    operations = [migrations.RunPython(seal, open_again)]

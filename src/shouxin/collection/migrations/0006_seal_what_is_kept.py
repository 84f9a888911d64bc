"""What was kept in the clear is sealed."""

from django.db import migrations

from shouxin.lib import sealed

MODELS = ["Notice"]


def seal(apps, _editor):
    for name in MODELS:
        sealed.seal_columns(apps.get_model("collection", name))


def open_again(apps, _editor):
    for name in MODELS:
        sealed.open_columns(apps.get_model("collection", name))


class Migration(migrations.Migration):
    dependencies = [("collection", "0005_sealed_addresses")]
    operations = [migrations.RunPython(seal, open_again)]

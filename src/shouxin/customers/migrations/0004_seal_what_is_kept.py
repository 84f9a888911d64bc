"""What was kept in the clear is sealed."""

from django.db import migrations

from shouxin.lib import sealed

MODELS = ["Customer"]


def seal(apps, _editor):
    for name in MODELS:
        sealed.seal_columns(apps.get_model("customers", name))


def open_again(apps, _editor):
    for name in MODELS:
        sealed.open_columns(apps.get_model("customers", name))


class Migration(migrations.Migration):
    dependencies = [("customers", "0003_sealed_particulars")]
    operations = [migrations.RunPython(seal, open_again)]

from django.db import migrations, models


class Migration(migrations.Migration):
    """A token may have several scopes; what was given before stays as it is."""

    dependencies = [("office", "0012_attachments")]

    operations = [
        migrations.AlterField(
            model_name="apitoken",
            name="scope",
            field=models.CharField(
                db_default="all", default="all", help_text="names, parted by blanks", max_length=200
            ),
        ),
    ]

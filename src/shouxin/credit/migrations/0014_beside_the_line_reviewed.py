import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    """A request that a review proposed knows the line it was proposed beside."""

    dependencies = [("credit", "0013_form_tries")]

    operations = [
        migrations.AddField(
            model_name="linerequest",
            name="beside",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="credit.line",
            ),
        ),
    ]

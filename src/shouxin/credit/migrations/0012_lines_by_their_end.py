from django.db import migrations, models


class Migration(migrations.Migration):
    """Which lines run out next is read in their order, and not from every line there is."""

    dependencies = [("credit", "0011_refused_fits")]

    operations = [
        migrations.AddIndex(
            model_name="line",
            index=models.Index(
                condition=models.Q(("pool", False), ("temporary", False), ("until__isnull", False)),
                fields=["until", "id"],
                name="line_ending",
            ),
        ),
    ]

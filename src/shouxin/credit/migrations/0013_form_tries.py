from django.db import migrations, models


class Migration(migrations.Migration):
    """Knocks at the public forms are counted where every server sees them."""

    dependencies = [("credit", "0012_lines_by_their_end")]

    operations = [
        migrations.CreateModel(
            name="FormTry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("place", models.CharField(max_length=64)),
                ("hour", models.DateTimeField()),
                ("tries", models.PositiveIntegerField()),
            ],
            options={"constraints": [models.UniqueConstraint(fields=("place", "hour"), name="form_try_once")]},
        ),
    ]

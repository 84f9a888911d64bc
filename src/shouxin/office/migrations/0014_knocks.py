from django.db import migrations, models


class Migration(migrations.Migration):
    """How often somebody was wrong at the door, counted by where the tries came from."""

    dependencies = [("office", "0013_token_scopes")]

    operations = [
        migrations.CreateModel(
            name="Knock",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("digest", models.CharField(max_length=64, unique=True)),
                ("tries", models.PositiveIntegerField()),
                ("began_at", models.DateTimeField()),
            ],
        ),
    ]

from django.db import migrations, models


class Migration(migrations.Migration):
    """Tokens made before keep doing everything their owners may, for as long as they were to work."""

    dependencies = [("office", "0009_security_manager")]

    operations = [
        migrations.AddField(
            model_name="apitoken",
            name="scope",
            field=models.CharField(
                choices=[
                    ("read", "Reading"),
                    ("decide", "Reading, and what an order system sends"),
                    ("all", "Everything its owner may do"),
                ],
                db_default="all",
                default="all",
                max_length=6,
            ),
        ),
        migrations.AddField(
            model_name="person",
            name="password_given",
            field=models.BooleanField(db_default=False, default=False),
        ),
    ]

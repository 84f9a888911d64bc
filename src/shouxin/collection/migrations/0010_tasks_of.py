from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # built beside running readers and writers

    dependencies = [
        ("collection", "0009_security_task"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                condition=models.Q(("person", None), ("status", "open")),
                fields=["post", "-amount", "id"],
                name="task_of_post",
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                condition=models.Q(("status", "open")), fields=["person", "-amount", "id"], name="task_of_person"
            ),
        ),
        RemoveIndexConcurrently(model_name="task", name="task_open"),
    ]

from django.db import migrations

FILL = """
UPDATE credit_linerequest SET beside_id = review.line_id FROM reviews_review review
WHERE review.request_id = credit_linerequest.id AND credit_linerequest.status = 'open'
"""


class Migration(migrations.Migration):
    """Proposals that wait for a signature are told the line they were proposed beside."""

    dependencies = [("reviews", "0001_initial"), ("credit", "0014_beside_the_line_reviewed")]

    operations = [migrations.RunSQL(FILL, migrations.RunSQL.noop)]

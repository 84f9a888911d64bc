"""Groups of one level become ties: each member hangs beneath its head, controlled, since we have known it."""

from django.db import migrations

FORWARD = """
INSERT INTO customers_grouptie (customer_id, parent_id, kind, percent, since, why, by_id, at)
SELECT id, group_head_id, 'controlled', NULL, COALESCE(customer_since, created_at::date), '', NULL, now()
FROM customers_customer WHERE group_head_id IS NOT NULL;
UPDATE customers_customer SET parents = ARRAY[group_head_id] WHERE group_head_id IS NOT NULL;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0009_related_parties")]
    operations = [migrations.RunSQL(FORWARD, migrations.RunSQL.noop)]

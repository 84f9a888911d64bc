"""The office's work for later."""

import logging

from shouxin.lib.jobs import app
from shouxin.office import clock

logger = logging.getLogger("shouxin.trail")


@app.periodic(cron="20 16 * * *")
@app.task(name="office.audit_trail", queueing_lock="office.audit_trail", lock="office.audit_trail", retry=False)
def audit_trail(timestamp: int) -> None:
    """Verify the trail every day; where it is whole, keep its head outside the database (I-21)."""
    from shouxin.office import audits, posts

    at = clock.now()
    if audits.verify(by=posts.system(), at=at).whole:
        audits.checkpoint(by=posts.system(), at=at)
    else:
        logger.error("the audit trail is not as it was written: run `shouxin trail verify`")


@app.task(name="office.take_over_file", retry=False)
def take_over_file(run_id: int) -> None:
    """Take an uploaded file over; imports wait for each other."""
    from shouxin.office.imports import runs

    runs.perform(run_id, at=clock.now(), today=clock.today())


@app.periodic(cron="25 * * * *")
@app.task(name="office.clear_away", queueing_lock="office.clear_away")
def clear_away(timestamp: int) -> None:
    """Clear away uploads, workbooks and sessions that have been finished for the policy's hours."""
    from shouxin.office import cleanup, policies

    hours = policies.in_force(clock.today()).policy.personal_data.purge_hours
    cleanup.purge(at=clock.now(), hours=hours)


@app.periodic(cron="* * * * * */15")
@app.task(name="office.send_webhooks", queueing_lock="office.send_webhooks", lock="office.send_webhooks")
def send_webhooks(timestamp: int) -> None:
    """Tell other programs what waits in the outbox."""
    from shouxin.office.webhooks import sending

    sending.send_waiting()

"""What the worker does: let letters by e-mail leave the house, and groups follow the policy of the day."""

from shouxin.lib.jobs import app
from shouxin.office import clock, mail, posts


@app.periodic(cron="*/10 * * * *")
@app.task(name="customers.mail_outbox", queueing_lock="customers.mail_outbox")
def mail_outbox(timestamp: int) -> None:
    """Every ten minutes, if there is a mail server."""
    send_mails()


@app.periodic(cron="10 0 * * *")
@app.task(name="customers.renew_groups", queueing_lock="customers.renew_groups")
def renew_groups(timestamp: int) -> None:
    """Early each day: who shares whose limit follows the policy of the day."""
    from . import groups

    groups.renew(clock.today())


@app.task(name="customers.send_mails", lock="customers.send_mails")
def send_mails() -> None:
    """Now, if there is a mail server."""
    from . import mails

    if mail.configured():
        mails.send_waiting(by=posts.system(), at=clock.now())

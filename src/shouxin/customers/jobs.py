"""What the worker does for letters by e-mail: let what waits leave the house."""

from shouxin.lib.jobs import app
from shouxin.office import clock, mail, posts


@app.periodic(cron="*/10 * * * *")
@app.task(name="customers.mail_outbox", queueing_lock="customers.mail_outbox")
def mail_outbox(timestamp: int) -> None:
    """Every ten minutes, if there is a mail server."""
    send_mails()


@app.task(name="customers.send_mails", lock="customers.send_mails")
def send_mails() -> None:
    """Now, if there is a mail server."""
    from . import mails

    if mail.configured():
        mails.send_waiting(by=posts.system(), at=clock.now())

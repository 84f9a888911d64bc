"""How mail leaves the house: by SMTP, and not at all while the installation is paused."""

from collections.abc import Sequence
from dataclasses import dataclass
from smtplib import SMTPException, SMTPRecipientsRefused, SMTPResponseException, SMTPSenderRefused
from typing import Literal

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends import smtp

from . import pause


@dataclass(frozen=True)
class Delivery:
    """What became of one message. `failed`: it never will arrive; `away`: the server cannot take it now."""

    outcome: Literal["sent", "failed", "away"]
    fault: str = ""


def configured() -> bool:
    """Whether the installation knows a mail server; without one, letters wait."""
    return bool(settings.EMAIL_HOST)


def message_id(kind: str, number: int) -> str:
    """A letter's own Message-ID: it never changes, so that a repeated sending is recognised as one message (I-26)."""
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].strip("> ") or "localhost"
    return f"<{kind}-{number}@{domain}>"


def deliver(message: EmailMessage) -> Delivery:
    """Hand one message to the mail server, and tell the message's own faults from the server's."""
    try:
        message.send()
    except (SMTPRecipientsRefused, SMTPSenderRefused, UnicodeError, ValueError) as error:
        return Delivery("failed", _told(error))
    except SMTPResponseException as error:
        return Delivery("failed" if error.smtp_code >= 500 else "away", _told(error))
    except (SMTPException, OSError) as error:
        return Delivery("away", _told(error))
    return Delivery("sent")


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


class EmailBackend(smtp.EmailBackend):
    """Django's own; a paused house is as good as a mail server that cannot be reached: letters go on waiting."""

    def open(self) -> bool | None:
        """Connect; raises ConnectionRefusedError while the installation is paused."""
        if pause.since():
            raise ConnectionRefusedError(str(pause.Paused.message))
        return super().open()

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        """Send; raises ConnectionRefusedError while the installation is paused."""
        if pause.since():
            raise ConnectionRefusedError(str(pause.Paused.message))
        return super().send_messages(email_messages)

"""How mail leaves the house: by SMTP, and not at all while the installation is paused."""

from collections.abc import Sequence

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp

from . import pause


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

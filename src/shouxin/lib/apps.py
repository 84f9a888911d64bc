from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class LibConfig(AppConfig):
    name = "shouxin.lib"
    label = "lib"

    def ready(self) -> None:
        """Forms say of a NUL what it is: Django's own Chinese sentence for it speaks of an empty text."""
        from django.core.validators import ProhibitNullCharactersValidator

        ProhibitNullCharactersValidator.message = _("The text holds a sign that no text may hold (NUL). Remove it.")

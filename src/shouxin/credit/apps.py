from django.apps import AppConfig


class CreditConfig(AppConfig):
    name = "shouxin.credit"
    label = "credit"

    def ready(self) -> None:
        from . import imports

        imports.register()

from django.apps import AppConfig


class ReceivablesConfig(AppConfig):
    name = "shouxin.receivables"
    label = "receivables"

    def ready(self) -> None:
        from . import imports

        imports.register()

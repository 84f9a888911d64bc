from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "shouxin.customers"
    label = "customers"

    def ready(self) -> None:
        from . import imports

        imports.register()

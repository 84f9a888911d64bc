from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "shouxin.orders"
    label = "orders"

    def ready(self) -> None:
        from . import imports

        imports.register()

from django.apps import AppConfig


class OrdersConfig(AppConfig):
    name = "shouxin.orders"
    label = "orders"

from django.apps import AppConfig


class CustomersConfig(AppConfig):
    name = "shouxin.customers"
    label = "customers"

from django.apps import AppConfig


class CreditConfig(AppConfig):
    name = "shouxin.credit"
    label = "credit"

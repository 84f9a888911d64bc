from django.apps import AppConfig


class ReceivablesConfig(AppConfig):
    name = "shouxin.receivables"
    label = "receivables"

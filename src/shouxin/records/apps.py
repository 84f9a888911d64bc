from django.apps import AppConfig


class RecordsConfig(AppConfig):
    name = "shouxin.records"
    label = "records"

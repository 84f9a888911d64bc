from django.apps import AppConfig


class OfficeConfig(AppConfig):
    name = "shouxin.office"
    label = "office"

from django.apps import AppConfig


class LibConfig(AppConfig):
    name = "shouxin.lib"
    label = "lib"

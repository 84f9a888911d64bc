from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "shouxin.demo"
    label = "demo"

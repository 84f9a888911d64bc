from django.apps import AppConfig


class CollectionConfig(AppConfig):
    name = "shouxin.collection"
    label = "collection"

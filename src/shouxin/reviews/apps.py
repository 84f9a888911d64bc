from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "shouxin.reviews"
    label = "reviews"

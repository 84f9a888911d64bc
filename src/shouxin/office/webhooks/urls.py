"""Addresses of the pages of webhooks."""

from django.urls import path

from . import views

app_name = "webhooks"
urlpatterns = [
    path("", views.listing, name="list"),
    path("<int:pk>/", views.show, name="show"),
    path("<int:pk>/<str:verb>", views.act, name="act"),
]

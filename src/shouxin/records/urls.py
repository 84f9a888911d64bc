"""Addresses of the pages that look back."""

from django.urls import path

from . import views

app_name = "records"
urlpatterns = [path("figures/", views.figures_page, name="figures")]

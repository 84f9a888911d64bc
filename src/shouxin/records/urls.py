"""Addresses of the pages that read everything and look back."""

from django.urls import path

from . import customer_views, rating_views, views

app_name = "records"
urlpatterns = [path("figures/", views.figures_page, name="figures")]

customer_paths = [
    path("", customer_views.roster, name="list"),
    path("<int:pk>/", customer_views.show, name="file"),
    path("<int:pk>/sheet", customer_views.sheet, name="sheet"),
]
"""To stand under the namespace `customers`: what they show lies above that package."""

rating_paths = [
    path("rate/", rating_views.rate_everybody, name="rate_everybody"),
    path("rate/lines.csv", rating_views.lines_file, name="suggested_lines"),
    path("rate/selected", rating_views.rate_selected, name="rate_selected"),
    path("rate/<int:pk>", rating_views.rate, name="rate"),
]
"""To stand under the namespace `credit`: a rating reads the ledger."""

"""Addresses of the annual review's pages."""

from django.urls import path

from . import review_views, views

app_name = "reviews"
urlpatterns = [
    path("", views.years, name="years"),
    path("<int:year>/", views.year, name="year"),
    path("<int:year>/progress", views.progress, name="progress"),
    path("<int:year>/resume", views.resume, name="resume"),
    path("<int:year>/approve", views.approve, name="approve"),
    path("<int:year>/close", views.close, name="close"),
    path("<int:year>/report", views.report, name="report"),
    path("<int:year>/<int:pk>/", review_views.review, name="review"),
    path("<int:year>/<int:pk>/<str:verb>", review_views.move, name="move"),
]

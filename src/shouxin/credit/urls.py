"""Addresses of the pages about lines; rating, which reads the ledger, comes from `records`."""

from django.urls import path

from . import views

urlpatterns = [
    path("line-requests/", views.line_request_list, name="line_requests"),
    path("line-requests/<int:pk>/", views.line_request, name="line_request"),
    path("line-requests/<int:pk>/change", views.change, name="change"),
    path("line-requests/<int:pk>/<str:verb>", views.move, name="move"),
    path("customers/<int:pk>/ask", views.ask, name="ask"),
]

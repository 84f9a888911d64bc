"""Addresses of the pages about lines; rating, which reads the ledger, comes from `records`."""

from django.urls import path

from . import security_views, views

urlpatterns = [
    path("line-requests/", views.line_request_list, name="line_requests"),
    path("line-requests/<int:pk>/", views.line_request, name="line_request"),
    path("line-requests/<int:pk>/change", views.change, name="change"),
    path("line-requests/<int:pk>/<str:verb>", views.move, name="move"),
    path("customers/<int:pk>/ask", views.ask, name="ask"),
    path("customers/<int:pk>/secure", security_views.propose, name="secure"),
    path("securities/", security_views.register, name="securities"),
    path("securities/<int:pk>/", security_views.show, name="security"),
    path("securities/<int:pk>/attachments", security_views.attach, name="security_attach"),
    path("securities/<int:pk>/<str:verb>", security_views.take_step, name="security_step"),
]

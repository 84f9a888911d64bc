"""Addresses of the orders pages."""

from django.urls import path

from . import hold_views, reservation_views, views

app_name = "orders"
urlpatterns = [
    path("check/", views.desk, name="desk"),
    path("check/customers", views.customers, name="customers"),
    path("check/customers/<str:code>", views.customer, name="customer"),
    path("checks/", views.decisions, name="decisions"),
    path("checks/<int:number>/", views.decision, name="decision"),
    path("checks/<int:number>/replay", views.replay, name="replay"),
    path("holds/", hold_views.hold_list, name="holds"),
    path("holds/overrides/", hold_views.overrides, name="overrides"),
    path("holds/<int:number>/", hold_views.hold, name="hold"),
    path("holds/<int:number>/release", hold_views.release, name="release"),
    path("holds/<int:number>/reject", hold_views.reject, name="reject"),
    path("holds/<int:number>/recheck", hold_views.recheck, name="recheck"),
    path("reservations/", reservation_views.reservations, name="reservations"),
    path("reservations/<int:number>/", reservation_views.reservation, name="reservation"),
    path("reservations/<int:number>/<str:verb>", reservation_views.step, name="step"),
]

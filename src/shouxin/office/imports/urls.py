from django.urls import path

from . import views

app_name = "imports"
urlpatterns = [
    path("", views.history, name="list"),
    path("<int:pk>/", views.show, name="run"),
    path("<int:pk>/columns", views.choose, name="choose"),
    path("<int:pk>/progress", views.progress, name="progress"),
    path("<int:pk>/errors.xlsx", views.errors, name="errors"),
]

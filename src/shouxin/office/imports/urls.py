from django.urls import path

from . import views

app_name = "imports"
urlpatterns = [
    path("", views.history, name="list"),
    path("<int:pk>/", views.show, name="run"),
    path("<int:pk>/columns", views.choose, name="choose"),
    path("<int:pk>/words/<str:key>", views.column_words, name="words"),
    path("<int:pk>/progress", views.progress, name="progress"),
    path("<int:pk>/map.yaml", views.map_file, name="map_file"),
    path("<int:pk>/errors.xlsx", views.errors, name="errors"),
]

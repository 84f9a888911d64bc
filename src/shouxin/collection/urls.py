"""Addresses of the collection pages."""

from django.urls import path

from . import views, work_views

app_name = "collection"
urlpatterns = [
    path("round/", views.today, name="today"),
    path("round/run", views.run, name="run"),
    path("round/progress", views.progress, name="progress"),
    path("days/<str:as_of>/", views.day, name="day"),
    path("tasks/", work_views.tasks, name="worklist"),
    path("tasks/<int:number>/", work_views.task, name="task"),
    path("tasks/<int:number>/<str:verb>", work_views.settle, name="settle"),
    path("notices/", work_views.outbox, name="notices"),
    path("notices/<int:number>/", work_views.notice, name="notice"),
    path("notices/<int:number>.pdf", work_views.paper, name="paper"),
    path("notices/<int:number>/<str:verb>", work_views.move, name="move"),
]

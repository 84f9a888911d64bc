"""Addresses of the pages that say who a customer is; the list and the file come from `records`."""

from django.urls import path

from . import blacklist_views, data_request_views, dossier_views, feature_views, party_views, statement_views, views

urlpatterns = [
    path("data-requests/", data_request_views.listing, name="data_requests"),
    path("data-requests/<int:pk>/<str:verb>", data_request_views.act, name="data_request_act"),
    path("suggest", views.suggest, name="suggest"),
    path("new", views.create, name="create"),
    path("<int:pk>/edit", views.edit, name="edit"),
    path("<int:pk>/facts/new", views.add_fact, name="add_fact"),
    path("choices", dossier_views.choices, name="choices"),
    path("notes/new", dossier_views.quick_note, name="quick_note"),
    path("inbox/", dossier_views.inbox, name="inbox"),
    path("facts/<int:pk>/", dossier_views.fact, name="fact"),
    path("facts/<int:pk>/<str:verb>", dossier_views.act, name="fact_act"),
    path("<int:pk>/statements", statement_views.show, name="statements"),
    path("<int:pk>/features", feature_views.score_features, name="features"),
    path("<int:pk>/notes/new", views.add_note, name="add_note"),
    path("<int:pk>/unmask/<str:field>", views.unmask, name="unmask"),
    path("<int:pk>/who-saw", views.who_saw, name="who_saw"),
    path("<int:pk>/standing", views.set_standing, name="set_standing"),
    path("blacklist/", blacklist_views.blacklist_page, name="blacklist"),
    path("blacklist/<int:pk>/", blacklist_views.case, name="blacklist_case"),
    path("blacklist/<int:pk>/letter.<str:ending>", blacklist_views.letter, name="blacklist_letter"),
    path("blacklist/<int:pk>/attachments", blacklist_views.attach_to_case, name="case_attach"),
    path("blacklist/<int:pk>/<str:verb>", blacklist_views.act, name="blacklist_act"),
    path("<int:pk>/blacklist", blacklist_views.propose, name="propose_blacklisting"),
    path("<int:pk>/tie", party_views.add_tie, name="add_tie"),
    path("<int:pk>/persons/new", party_views.add_person, name="add_person"),
    path("persons/<int:pk>/end", party_views.end_person, name="end_person"),
    path("<int:pk>/agents/new", party_views.add_agent, name="add_agent"),
    path("agents/<int:pk>/", party_views.agent, name="agent"),
    path("agents/<int:pk>/attachments", party_views.attach_to_agent, name="agent_attach"),
    path("agents/<int:pk>/revoke", party_views.revoke_agent, name="revoke_agent"),
    path("releases/<int:pk>/<str:verb>", views.decide_release, name="decide_release"),
]

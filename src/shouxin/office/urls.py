"""Addresses of the office's pages."""

from django.urls import path

from . import attachment_views, people_views, personal_views, policy_views, sign_in_views, trail_views
from .privacy import views as privacy_views

app_name = "office"
urlpatterns = [
    path("policy/", policy_views.policy, name="policy"),
    path("policy/versions/", policy_views.versions, name="versions"),
    path("policy/versions/<int:number>/", policy_views.version, name="version"),
    path("policy/versions/<int:number>/policy.yaml", policy_views.download, name="policy_yaml"),
    path("policy/compare/", policy_views.compare, name="policy_compare"),
    path("policy/draft/", policy_views.draft, name="policy_draft"),
    path("policy/rates/", policy_views.exchange_rates, name="rates"),
    path("trail/", trail_views.trail, name="trail"),
    path("trail/verify/", trail_views.verify, name="verify_trail"),
    path("people/", people_views.people, name="people"),
    path("people/add", people_views.add, name="person_add"),
    path("people/<int:number>/", people_views.person, name="person"),
    path("people/<int:number>/appoint", people_views.appoint, name="appoint"),
    path("people/<int:number>/end/<str:post>", people_views.end_appointment, name="end_appointment"),
    path("people/<int:number>/password", sign_in_views.set_password, name="set_password"),
    path("people/<int:number>/second-factor", sign_in_views.reset_second_factor, name="reset_second_factor"),
    path("sign-in-rules/", sign_in_views.rules, name="sign_in_rules"),
    path("people/<int:number>/disable", people_views.disable, name="disable"),
    path("personal-data/", personal_views.catalogue, name="personal_data"),
    path("personal-data/sharings/", privacy_views.sharing_list, name="sharings"),
    path("personal-data/sharings/new", privacy_views.sharing_new, name="sharing_new"),
    path("personal-data/sharings/<int:pk>/", privacy_views.sharing, name="sharing"),
    path("personal-data/sharings/<int:pk>/correct", privacy_views.sharing_correct, name="sharing_correct"),
    path("personal-data/sharings/<int:pk>/end", privacy_views.sharing_end, name="sharing_end"),
    path("personal-data/sharings/<int:pk>/attachments", privacy_views.sharing_attach, name="sharing_attach"),
    path("personal-data/assessments/", privacy_views.assessment_list, name="assessments"),
    path("personal-data/assessments/new", privacy_views.assessment_new, name="assessment_new"),
    path("personal-data/assessments/<int:pk>/", privacy_views.assessment, name="assessment"),
    path("personal-data/assessments/<int:pk>/next", privacy_views.assessment_revise, name="assessment_revise"),
    path("personal-data/assessments/<int:pk>/<str:verb>", privacy_views.assessment_act, name="assessment_act"),
    path("attachments/<int:number>", attachment_views.download, name="attachment"),
    path("account/", people_views.account, name="account"),
    path("account/tokens/<int:number>/revoke", people_views.revoke, name="revoke"),
]

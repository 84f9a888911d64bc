"""Addresses of the pages that read everything and look back."""

from django.urls import path

from . import application_paper_views as papers
from . import (
    application_views,
    card_views,
    customer_views,
    digest_views,
    fitted_views,
    grade_review_views,
    granted_views,
    letter_views,
    market_views,
    party_views,
    public_views,
    rating_views,
    views,
)

app_name = "records"
urlpatterns = [
    path("figures/", views.figures_page, name="figures"),
    path("granted/", granted_views.granted_page, name="granted"),
    path("recommended/", market_views.recommended, name="recommended"),
    path("recommended/<int:pk>/letter.<str:ending>", market_views.letter, name="recommendation"),
    path("opportunities/", market_views.opportunities, name="opportunities"),
    path("digests/", digest_views.list_digests, name="digests"),
    path("digests/preview", digest_views.preview, name="digest_preview"),
    path("digests/<int:pk>/", digest_views.show, name="digest"),
]

customer_paths = [
    path("", customer_views.roster, name="list"),
    path("<int:pk>/", customer_views.show, name="file"),
    path("<int:pk>/sheet", customer_views.sheet, name="sheet"),
    path("<int:pk>/counterparty.<str:ending>", party_views.counterparty_file, name="counterparty_file"),
    path("<int:pk>/letters/<int:mail>/", letter_views.show, name="letter"),
    path("<int:pk>/letters/<int:mail>/paper.<str:ending>", letter_views.paper, name="letter_paper"),
    path("<int:pk>/letters/<int:mail>/<str:verb>", letter_views.deliver, name="letter_deliver"),
    path("<int:pk>/sheet.<str:ending>", customer_views.sheet_file, name="sheet_file"),
]
"""To stand under the namespace `customers`: what they show lies above that package."""

rating_paths = [
    path("rate/", rating_views.rate_everybody, name="rate_everybody"),
    path("rate/lines.csv", rating_views.lines_file, name="suggested_lines"),
    path("rate/selected", rating_views.rate_selected, name="rate_selected"),
    path("rate/<int:pk>", rating_views.rate, name="rate"),
    path("grades/", grade_review_views.waiting, name="grade_reviews"),
    path("grades/<int:pk>/confirm", grade_review_views.confirm, name="grade_confirm"),
    path("scoring/", fitted_views.cards, name="fitted_cards"),
    path("scoring/<int:pk>/", fitted_views.show, name="fitted_card"),
    path("scoring/<int:pk>/adopt", fitted_views.adopt, name="adopt_card"),
    path("card/", card_views.show, name="card"),
    path("card/question", card_views.question, name="card_question_new"),
    path("card/question/<str:key>", card_views.question, name="card_question"),
    path("card/trigger", card_views.trigger, name="card_trigger_new"),
    path("card/trigger/<str:key>", card_views.trigger, name="card_trigger"),
    path("card/bounds", card_views.bounds, name="card_bounds"),
    path("card/limits", card_views.limits, name="card_limits"),
    path("card/item", card_views.item, name="card_item_new"),
    path("card/item/<str:key>", card_views.item, name="card_item"),
    path("card/bands", card_views.bands, name="card_bands"),
    path("card/preview", card_views.preview, name="card_preview"),
    path("card/<str:kind>/<str:key>/drop", card_views.drop, name="card_drop"),
]
"""To stand under the namespace `credit`: a rating reads the ledger."""

application_paths = [
    path("applications/", application_views.application_list, name="applications"),
    path("applications/<int:pk>/", application_views.application, name="application"),
    path("applications/<int:pk>/change", application_views.change, name="application_change"),
    path("applications/<int:pk>/investigation", application_views.investigate, name="application_investigation"),
    path("applications/<int:pk>/attachments", papers.attach, name="application_attach"),
    path("applications/<int:pk>/references", papers.ask_reference, name="application_reference"),
    path("references/<int:pk>/remind", papers.remind_reference, name="reference_remind"),
    path("applications/<int:pk>/forms/<str:name>.<str:ending>", papers.form, name="application_paper"),
    path("applications/<int:pk>/<str:verb>", application_views.move, name="application_move"),
    path("customers/<int:pk>/apply", application_views.apply, name="apply"),
    path("customers/<int:pk>/invite", papers.invite, name="invite"),
    path("form/<str:token>", public_views.application_form, name="application_form"),
    path("reference/<str:token>", public_views.reference_form, name="reference_form"),
]
"""To stand under the namespace `credit`: an assessment reads the ledger. The last two need a link alone."""

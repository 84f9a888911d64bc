"""All addresses. Each package brings its own list; a new package adds one line here."""

from allauth.account import views as account
from allauth.mfa.recovery_codes import views as codes
from allauth.mfa.totp import views as totp
from allauth.mfa.webauthn import views as passkeys
from allauth.socialaccount import views as outside
from django.urls import include, path

from shouxin.config import health, metrics, system_views
from shouxin.credit import urls as credit
from shouxin.customers import urls as customers
from shouxin.office import entrances, factors
from shouxin.records import coverage_views, home
from shouxin.records import urls as records

PACKAGES = [
    path("", home.show, name="home"),
    path("regulation", coverage_views.regulation, name="regulation"),
    path("records/", include("shouxin.records.urls")),
    path("orders/", include("shouxin.orders.urls")),
    path("receivables/", include("shouxin.receivables.urls")),
    path("collection/", include("shouxin.collection.urls")),
    path("reviews/", include("shouxin.reviews.urls")),
    path("office/", include("shouxin.office.urls")),
    # The list and the file of a customer read everything: their views lie in `records`, under the customers' name.
    path("customers/", include(([*customers.urlpatterns, *records.customer_paths], "customers"))),
    path("credit/", include(([*credit.urlpatterns, *records.rating_paths, *records.application_paths], "credit"))),
    path("imports/", include("shouxin.office.imports.urls")),
    path("webhooks/", include("shouxin.office.webhooks.urls")),
]
OWN_WAYS_IN = [
    ("password/change/", account.password_change, "account_change_password"),
    ("password/set/", account.password_set, "account_set_password"),
    ("2fa/totp/activate/", factors.NewCode.as_view(), "mfa_activate_totp"),
    ("2fa/totp/deactivate/", totp.deactivate_totp, "mfa_deactivate_totp"),
    ("2fa/recovery-codes/generate/", codes.generate_recovery_codes, "mfa_generate_recovery_codes"),
    ("2fa/webauthn/add/", passkeys.add_webauthn, "mfa_add_webauthn"),
    ("2fa/webauthn/keys/<int:pk>/remove/", passkeys.remove_webauthn, "mfa_remove_webauthn"),
    ("3rdparty/", outside.connections, "socialaccount_connections"),
]
"""Pages of the library on which she changes how she comes in -> its own names for them."""
HOUSE = [
    path("api/v1/", include("shouxin.config.api")),
    path("system", system_views.system, name="system"),
    path("healthz", health.alive, name="alive"),
    path("readyz", health.ready, name="ready"),
    path("metrics", metrics.read, name="metrics"),
    path("language/", include("django.conf.urls.i18n")),
    path("accounts/email/", entrances.closed),
    path("accounts/password/reset/", entrances.closed),
    path("accounts/password/reset/<path:rest>", entrances.closed),
    *(path(f"accounts/{where}", entrances.whole(view), name=name) for where, view, name in OWN_WAYS_IN),
    path("accounts/", include("allauth.urls")),
]
urlpatterns = [*PACKAGES, *HOUSE]
handler400 = "shouxin.config.health.unreadable"
handler429 = "shouxin.office.locks.too_many"
handler500 = "shouxin.config.health.failed"

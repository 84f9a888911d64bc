"""All settings of the installation, read once from the environment; a bad value stops the start with its name."""

import os
from pathlib import Path

from csp.constants import NONE, SELF

from shouxin.config import logs
from shouxin.lib.environment import Environment

ENVIRONMENT = Environment.read(os.environ)
HOME: Path = ENVIRONMENT.home
SOURCE = Path(__file__).resolve().parent.parent

SECRET_KEY = ENVIRONMENT.secret_key
VAULT = ENVIRONMENT.vault
DEBUG = False
ALLOWED_HOSTS = ENVIRONMENT.hosts
USE_TZ = True
TIME_ZONE = ENVIRONMENT.timezone
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
LOCALE_PATHS = [SOURCE / "locale", SOURCE / "rules" / "locale", SOURCE / "config" / "locale"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "office.Person"
ROOT_URLCONF = "shouxin.config.urls"
WSGI_APPLICATION = "shouxin.config.wsgi.application"

DATABASES = {"default": dict(ENVIRONMENT.database)}  # a copy: `lib.database.roles` wears the owner in it

PACKAGES = ["records", "reviews", "collection", "orders", "receivables", "credit", "customers", "office", "lib"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "django_htmx",
    "pgtrigger",
    "procrastinate.contrib.django",
    *[f"shouxin.{package}" for package in PACKAGES],
    "shouxin.demo",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "allauth.socialaccount",
    *ENVIRONMENT.sign_in.apps,
    "axes",
    "csp",
]

# Pages

MIDDLEWARE = [
    "shouxin.config.metrics.Measured",
    "shouxin.config.requests.Followed",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "shouxin.office.middleware.NothingKept",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "axes.middleware.AxesMiddleware",
    "shouxin.office.knocks.KnownBrowsers",
    "shouxin.office.watchman.Watchman",
    "shouxin.office.middleware.RefusalsShown",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [SOURCE / "templates", SOURCE / "config" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "shouxin.config.shell.shell",
            ],
        },
    }
]
STATIC_URL = "/static/"
STATIC_ROOT = None
STATICFILES_DIRS = [SOURCE / "static"]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = False
MEDIA_ROOT = HOME / "files"
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler", "shouxin.lib.spool.SpoolUploads"]
FILE_UPLOAD_PERMISSIONS = 0o600
FILE_UPLOAD_DIRECTORY_PERMISSIONS = 0o700
DATA_UPLOAD_MAX_MEMORY_SIZE = 16 * 1024 * 1024
# Files, because the guard against a second use of a one-time code must be seen by every process of this home.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.filebased.FileBasedCache", "LOCATION": HOME / "cache",
                      "OPTIONS": {"MAX_ENTRIES": 10_000}}}  # fmt: skip

# Who may come in

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "shouxin.office.passwords.RulesOfTheDoor"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "shouxin.office.entrances.Adapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# A name is locked by axes, an address that tries many is slowed down by `office.knocks`, both in the database and as
# the sign-in rules say. Beyond those only this bound on all sign-ins of an address, right and wrong.
ACCOUNT_RATE_LIMITS = {"login": "300/m/ip", "login_failed": ""}
MFA_RATE_LIMITS = {"webauthn_login": "300/m/ip"}
SOCIALACCOUNT_REAUTHENTICATION_REQUIRED = True  # or whoever sits at her open desk could connect an account of his own
SOCIALACCOUNT_ADAPTER = "shouxin.office.outside.OutsideAdapter"
SOCIALACCOUNT_PROVIDERS = ENVIRONMENT.sign_in.settings
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_REQUESTS_TIMEOUT = 10
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENVIRONMENT.encrypted
MFA_TOTP_ISSUER = "Shouxin"
MFA_TOTP_TOLERANCE = 1
MFA_FORMS = {
    "authenticate": "shouxin.office.factors.Code",
    "reauthenticate": "shouxin.office.factors.CodeAgain",
    "authenticate_webauthn": "shouxin.office.factors.Key",
    "reauthenticate_webauthn": "shouxin.office.factors.KeyAgain",
    "login_webauthn": "shouxin.office.factors.KeyAlone",
    "add_webauthn": "shouxin.office.factors.NewKey",
}
AXES_FAILURE_LIMIT = "shouxin.office.locks.failures_max"
AXES_COOLOFF_TIME = "shouxin.office.locks.lock_time"
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False  # knocking neither prolongs a lock nor moves its beginning
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address", "login", "code", "credential"]  # never kept as they were typed
AXES_LOCKOUT_CALLABLE = "shouxin.office.locks.locked_out"
AXES_IPWARE_PROXY_COUNT = ENVIRONMENT.proxies
if ENVIRONMENT.proxies:
    AXES_IPWARE_META_PRECEDENCE_ORDER = ["HTTP_X_FORWARDED_FOR", "REMOTE_ADDR"]
    ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.proxies

# What browsers are told

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF, *ENVIRONMENT.sign_in.origins],
        "frame-ancestors": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_AGE = 168 * 3600  # the longest the sign-in rules allow; the watchman ends sessions as they say
if ENVIRONMENT.encrypted:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-session", "__Host-csrf"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = ENVIRONMENT.encrypted
SECURE_HSTS_SECONDS = 365 * 86400 if ENVIRONMENT.encrypted else 0
SILENCED_SYSTEM_CHECKS = [
    "axes.W006",  # a name is locked wherever the knocks come from; knocks of one address are counted by office.knocks
    "security.W005",  # the subdomains of the company's host are not ours to bind,
    "security.W021",  # nor is its place in the browsers' list
    "security.W008",  # the proxy that speaks TLS redirects; monitors on the machine ask in plain
]
CSRF_TRUSTED_ORIGINS = [ENVIRONMENT.url]
if ENVIRONMENT.proxies:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# What leaves the house

EMAIL_HOST = ENVIRONMENT.mail.host
EMAIL_PORT = ENVIRONMENT.mail.port
EMAIL_HOST_USER = ENVIRONMENT.mail.user
EMAIL_HOST_PASSWORD = ENVIRONMENT.mail.password
EMAIL_USE_TLS = ENVIRONMENT.mail.starttls
EMAIL_USE_SSL = ENVIRONMENT.mail.tls
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = SERVER_EMAIL = ENVIRONMENT.mail.sender
EMAIL_BACKEND = (
    "shouxin.office.mail.EmailBackend" if ENVIRONMENT.mail.host else "django.core.mail.backends.dummy.EmailBackend"
)

WEBHOOK_NETWORKS = ENVIRONMENT.webhook_networks
WEBHOOK_FAILURES = ENVIRONMENT.webhook_failures

# What happens behind the pages

PROCRASTINATE_AUTODISCOVER_MODULE_NAME = "jobs"
PROCRASTINATE_IMPORT_PATHS = ["shouxin.config.jobs"]

LOGGING_CONFIG = None
logs.configure(ENVIRONMENT.log_level)

"""All settings of the installation, read once from the environment; a bad value stops the start with its name."""

import os
from pathlib import Path

from shouxin.lib.environment import Environment

ENVIRONMENT = Environment.read(os.environ)
HOME: Path = ENVIRONMENT.home

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = False
ALLOWED_HOSTS = ENVIRONMENT.hosts
USE_TZ = True
TIME_ZONE = ENVIRONMENT.timezone
LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "中文"), ("en", "English")]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "office.Person"
ROOT_URLCONF = "shouxin.config.urls"
WSGI_APPLICATION = "shouxin.config.wsgi.application"

DATABASES = {"default": ENVIRONMENT.database}

PACKAGES = ["records", "collection", "orders", "receivables", "credit", "customers", "office", "lib"]
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
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "axes",
    "csp",
    *[f"shouxin.{package}" for package in PACKAGES],
    "shouxin.demo",
]

"""The settings under test: the product's own, in a home that is made for this run and thrown away after it.

Loaded by pytest-django before any conftest. The workers of a parallel run inherit the home through the environment.
"""

import os
import tempfile

if "SHOUXIN_TESTED" not in os.environ:
    for name in [name for name in os.environ if name.startswith("SHOUXIN_") and "FAULTS" not in name]:
        del os.environ[name]
    os.environ["SHOUXIN_HOME"] = tempfile.mkdtemp(prefix="shouxin-tests-")
    os.environ["SHOUXIN_TESTED"] = str(os.getpid())

from shouxin.config.settings import *  # noqa: F403
from shouxin.lib import translations

translations.compile_stale()  # before Django reads its first catalogue, which it keeps

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
# Each process has its own, emptied for every test: how often somebody was wrong is counted there.
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

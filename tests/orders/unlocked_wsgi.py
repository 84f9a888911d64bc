"""The product without its guard: accounts are read, not locked. Only to show that the race test can fail."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from shouxin.config.wsgi import application
from shouxin.credit import exposure

exposure.LOCK = exposure.LOCK.replace("FOR UPDATE OF a", "")

__all__ = ["application"]

"""The application as a web server sees it."""

import os
import signal

from django.core.wsgi import get_wsgi_application

from shouxin.lib.lifeline import die_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouxin.config.settings")
if os.environ.get("SHOUXIN_MINDED"):
    die_with_parent(signal.SIGKILL)

application = get_wsgi_application()

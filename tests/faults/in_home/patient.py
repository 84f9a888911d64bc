"""Run in a home: a statement that takes longer than anybody waits without asking; prints whether it was answered."""

import json
import sys

import django

django.setup()

from django.db import connection

with connection.cursor() as cursor:
    cursor.execute("SELECT pg_sleep(%s)", [int(sys.argv[1])])
    print(json.dumps({"answered": cursor.fetchone() is not None}))

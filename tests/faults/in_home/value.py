"""Run in a home: one statement; prints its one value."""

import json
import sys

import django

django.setup()

from django.db import connection

with connection.cursor() as cursor:
    cursor.execute(sys.argv[1])
    print(json.dumps(cursor.fetchone()[0], default=str))

"""Webhooks: what happens here, told to other programs: signed, retried, never to a private address."""

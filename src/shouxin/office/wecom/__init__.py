"""企业微信 as a way in, for allauth, which does not bring it."""

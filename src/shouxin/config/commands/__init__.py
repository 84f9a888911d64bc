"""The commands, a module for each noun.

A module exports `app`, a `typer.Typer`. Without a name its commands stand directly under `shouxin`
(`shouxin doctor`), with one they form a group (`shouxin user add`). Nothing else needs to be told of it.
"""

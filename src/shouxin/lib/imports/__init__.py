"""Files on their way in: read what an office really sends, say cell by cell what is wrong, take over the rest.

`reader` opens a file by what it is, `headings` finds and recognises its columns, `mapping` says which
column fills what, `check` turns cells into values, `run` shows and takes over. `kinds` is where the
business registers what can be imported. Nothing here knows a customer from an invoice.
"""

"""Where files are handed in: a run from upload to result, over the pages, the API and the command line."""

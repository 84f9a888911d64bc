"""Looking back: the customer file, figures, reports."""

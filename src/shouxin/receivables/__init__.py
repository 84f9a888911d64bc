"""What they owe: invoices, receipts and their matching, contested amounts, ageing, the proof."""

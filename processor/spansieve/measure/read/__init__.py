"""What spans, events and log records tell of calls: read by the tables of the dialects, as observations."""

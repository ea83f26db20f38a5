"""Reading texts: escapes, encodings, JSON, parts. Knows of no rule."""

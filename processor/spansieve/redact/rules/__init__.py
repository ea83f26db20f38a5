"""A policy's rules as the hot path reads them: anchors, patterns, checks, and where they apply."""

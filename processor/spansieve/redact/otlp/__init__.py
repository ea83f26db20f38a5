"""Which texts a request has: what is new in spans, and every field of everything else."""

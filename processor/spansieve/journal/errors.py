"""What keeps the journal from being used."""


class JournalError(Exception):
    """The journal cannot be opened or read: a sentence with the place and a remedy, and nothing of what is stored."""

"""What was answered OK, on disk until it has its fate: redacted, sealed, and played back after a crash.

`records` says what is written, `blocks` how it is framed, checked and sealed, `log` writes segments and `reading` reads
them back, on a `disk`, with `keys`. `writer` has the threads that do it, `durable` the event loop's side of it, with
the `room` that there is for more, and `receipts` what was released and is not settled yet.
"""

from spansieve.journal.durable import DurableJournal
from spansieve.journal.errors import JournalError

__all__ = ["DurableJournal", "JournalError"]

"""Images, sound and other binary content in texts: dropped for a note of type and size.

Nothing can be found in them by rules about text, they fill a store, and a picture shows a face or a passport. They
come as data URLs (RFC 2397), as base64 under `data`, `content`, `b64_json` …, and as bytes.
"""

import binascii
import re
from typing import Final

from spansieve.redact.text import tokens

MEDIA: Final = "media"
NOTE: Final = re.compile(r"\[(?:MEDIA [\w.+-]{1,64}/[\w.+-]{1,64} \d{1,20} bytes|BYTES \d{1,20})\]")
"""What stands for content that was dropped."""

_UNKNOWN = "application/octet-stream"
LONG: Final = 1024
"""Characters of base64: what is as long and is no text is no id, no digest and no key."""

SHORT: Final = 64
"""Characters of base64 that are enough with the first bytes of a known format."""

_VARIETY = 20  # different characters in the first ones of a long run; a line of dashes has one
_LOOKED_AT = 256

_DATA_URL = re.compile(
    r"data:(?P<type>[\w.+-]{1,64}/[\w.+-]{1,64})?(?:;[\w.+-]{1,64}=[^;,\s]{1,64}){0,4};base64,(?P<body>[A-Za-z0-9+/_-]{16,}+={0,2})",
    re.ASCII,
)
_RUN = re.compile(
    r"[A-Za-z0-9+/_-]{64,}+(?:\r?\n[A-Za-z0-9+/]{60,}+)*(?:\r?\n[A-Za-z0-9+/]{1,}+(?==))?={0,2}", re.ASCII
)
_LONG_RUN = re.compile(r"[A-Za-z0-9+/_-]{64,}+")
_HEADS = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"OggS", "audio/ogg"),
    (b"fLaC", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video/webm"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b\x08", "application/gzip"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\x00\x00\x01\x00", "image/x-icon"),
)
_BEGINNINGS = tuple(start for start, _ in _HEADS)
_RIFF = {b"WAVE": "audio/wav", b"WEBP": "image/webp", b"AVI ": "video/x-msvideo"}


def note(kind: str, size: int) -> str:
    """What is put in the place of `size` bytes of a media type."""
    return f"[MEDIA {kind} {size} bytes]"


def at(text: str, start: int) -> bool:
    """Whether a run of base64's characters that starts at a place may be content to drop."""
    match = _LONG_RUN.match(text, start)
    return match is not None and (match.end() - start >= LONG or known_type(_head(match[0])) is not None)


def known_type(head: bytes) -> str | None:
    """Tell a media type by the first bytes, 16 of them at best."""
    if head[:4] == b"RIFF":
        return _RIFF.get(head[8:12], _UNKNOWN)
    if head[4:8] == b"ftyp":
        return "audio/mp4" if head[8:11] == b"M4A" else "image/heic" if head[8:11] == b"hei" else "video/mp4"
    if not head.startswith(_BEGINNINGS):
        return None
    return next(kind for start, kind in _HEADS if head.startswith(start))


def of_bytes(raw: bytes) -> str:
    """Give the note for bytes that are no text."""
    kind = known_type(raw[:16])
    return f"[BYTES {len(raw)}]" if kind is None else note(kind, len(raw))


def strip(text: str) -> tuple[str, int]:
    """Put notes in the place of all binary content of a text, and count them. Linear in the text's size."""
    if not any(end - start >= SHORT for start, end in tokens.runs(text.encode("latin-1", "replace"))):
        return text, 0
    dropped = 0

    def url(match: re.Match[str]) -> str:
        nonlocal dropped
        kind = match["type"] or "text/plain"
        if tokens.says_text(match["body"]):
            return match[0]
        dropped += 1
        return note(kind, _size(match["body"]))

    def run(match: re.Match[str]) -> str:
        nonlocal dropped
        kind = _kind(match[0])
        if kind is None:
            return match[0]
        dropped += 1
        return note(kind, _size(match[0]))

    if ";base64," in text:
        text = _DATA_URL.sub(url, text)
    return _RUN.sub(run, text), dropped


def _kind(run: str) -> str | None:
    """The type of what a run of base64 encodes; None when it is left to the rules, as text and all that is short is."""
    kind = known_type(_head(run))
    if kind is not None:
        return kind
    if len(run) < LONG or len(set(run[:_LOOKED_AT])) < _VARIETY or tokens.says_text(run):
        return None
    return _UNKNOWN


def _head(run: str) -> bytes:
    try:
        return binascii.a2b_base64(run[:24].translate(tokens.STANDARD))
    except binascii.Error:
        return b""


def _size(run: str) -> int:
    return len(re.sub(r"[=\s]", "", run)) * 3 // 4

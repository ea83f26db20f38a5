"""Resources and scopes: a process sends the same ones with every request, so they are redacted once and remembered."""

from collections import Counter
from hashlib import blake2b
from secrets import token_bytes
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from spansieve.errors import MalformedRequest
from spansieve.model import Envelope
from spansieve.otlp_reduced import NOT_A_REQUEST
from spansieve.redact.otlp import messages
from spansieve.redact.rules.compiled import CompiledRules

_MOST: Final = 1024
"""Resources, scopes and pairs of them that are remembered, of each so many."""

_LARGEST: Final = 8192
"""Bytes of one that is remembered: a resource of an SDK has some hundred. What is larger is redacted each time."""

_Redacted = tuple[bytes, str, Counter[str]]
"""A resource or scope, its schema URL, and what was found in both, by rule."""


class Envelopes:
    """Redacts envelopes by one policy, and remembers those it met.

    One that leaves as it came is known by itself; others, by a keyed digest: nothing is kept that does not leave.
    """

    def __init__(self, rules: CompiledRules) -> None:
        self._rules = rules
        self._key = token_bytes(32)  # as in cache.Cache: no result depends on it
        self._resources: dict[bytes, _Redacted] = {}
        self._scopes: dict[bytes, _Redacted] = {}
        self._made: dict[Envelope, Envelope] = {}
        self._clean: dict[Envelope, Envelope] = {}  # in which nothing is found

    def redact(self, raw: Envelope, findings: Counter[str], *, same_resource: bool) -> Envelope:
        """Give an envelope as it leaves. With `same_resource` the findings in the resource were counted before.

        Raises MalformedRequest when one of the parts is none.
        """
        clean = self._clean.get(raw)
        if clean is not None:
            return clean
        resource = self._part(self._resources, raw.resource, raw.resource_schema_url, is_resource=True)
        scope = self._part(self._scopes, raw.scope, raw.scope_schema_url, is_resource=False)
        if resource[2] and not same_resource:
            findings.update(resource[2])
        if scope[2]:
            findings.update(scope[2])
        made = Envelope(resource[0], resource[1], scope[0], scope[1])
        if made.size > _LARGEST:
            return made
        # One object for equal ones: those who group by envelopes compare it with itself, and what waits holds it once.
        known = self._made.get(made)
        if known is None:
            if len(self._made) >= _MOST:
                self._made.clear()
                self._clean.clear()
            known = self._made[made] = made
        if not resource[2] and not scope[2] and raw == known:
            self._clean[known] = known
        return known

    def __len__(self) -> int:
        """The envelopes that are remembered."""
        return len(self._made)

    def _part(self, memory: dict[bytes, _Redacted], raw: bytes, schema_url: str, *, is_resource: bool) -> _Redacted:
        digest = blake2b(schema_url.encode(), digest_size=16, key=self._key, salt=b"%d" % len(schema_url))
        digest.update(raw)
        name = digest.digest()
        known = memory.get(name)
        if known is None:
            known = self._redact(raw, schema_url, is_resource=is_resource)
            if len(known[0]) + len(known[1]) > _LARGEST:
                return known
            if len(memory) >= _MOST:
                memory.clear()
            memory[name] = known
        return known

    def _redact(self, raw: bytes, schema_url: str, *, is_resource: bool) -> _Redacted:
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        scope_spans = resource_spans.scope_spans.add()
        around = resource_spans if is_resource else scope_spans
        part = resource_spans.resource if is_resource else scope_spans.scope
        around.schema_url = schema_url
        try:
            part.ParseFromString(raw)
        except DecodeError:
            raise MalformedRequest(NOT_A_REQUEST) from None
        part.DiscardUnknownFields()
        part.SetInParent()
        findings, _ = messages.redact(request, self._rules, stamped=False)
        return part.SerializeToString(), around.schema_url, findings

"""The spans of each kind of traffic, as instrumentations of web frameworks and LLM clients write them.

A writer of a kind yields the spans of one trace; their sizes and counts are those that the kind stands for.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from bench.prose import LOOK_ALIKES, Prose, Value, hash_of

ERROR_SHARE = 0.02
_MEDIAN_LLM_SECONDS, _LLM_SIGMA = 1.5, 0.6  # 2 % are over 5 s
_TURNS = 20
_MODELS = (
    ("openai", "gpt-4o-mini", "gpt-4o-mini-2024-07-18"),
    ("openai", "gpt-4.1", "gpt-4.1-2025-04-14"),
    ("anthropic", "claude-sonnet-4-5", "claude-sonnet-4-5-20250929"),
)
_SCOPES = {
    "http": "opentelemetry.instrumentation.fastapi",
    "llm": "opentelemetry.instrumentation.openai_v2",
    "agent": "support.agent",
    "db": "opentelemetry.instrumentation.psycopg",
}


@dataclass(frozen=True, slots=True)
class Written:
    """A span, the scope that wrote it, and what was strewn into it."""

    scope: str
    span: Span
    values: list[Value] = field(default_factory=list)


class Application:
    """One process of an application: its style, its clock's offset and how it encodes JSON. Owner of its `random`."""

    def __init__(self, number: int, random: Random, mark: str) -> None:
        self.random = random
        self.prose = Prose(random)
        self._mark = mark  # what replay replaces: four characters of each trace id, text and other id
        # Python's instrumentations escape what is not ASCII, those of JavaScript and Go do not.
        self._escape = number % 2 == 0

    def json(self, content: Any) -> str:  # noqa: ANN401 - whatever JSON can say
        """Encode as this application's instrumentation does."""
        return json.dumps(content, separators=(",", ":"), ensure_ascii=self._escape)

    def trace_id(self) -> bytes:
        """A new id: the mark, then random bytes, so that the part which samplers look at is random."""
        return self._mark.encode() + self.random.randbytes(12)

    def uuid(self) -> str:
        """A new UUID, which no lap repeats."""
        return self._mark + LOOK_ALIKES["uuid"](self.random)[4:]

    def text(self, size: int, values: list[Value]) -> str:
        """Prose that no lap repeats."""
        return f"Case {self._mark}. {self.prose.text(size, values)}"

    def span(self, trace_id: bytes, parent: Span | None, name: str, kind: int, start_ns: int, seconds: float) -> Span:
        """A span without attributes."""
        return Span(
            trace_id=trace_id,
            span_id=self.random.randbytes(8),
            parent_span_id=parent.span_id if parent else b"",
            name=name,
            kind=kind,  # type: ignore[arg-type]  # an enum's number
            start_time_unix_nano=start_ns,
            end_time_unix_nano=start_ns + int(seconds * 1e9),
            flags=0x101 if parent else 0x100,
        )

    def llm_seconds(self) -> float:
        """How long a model took: log-normal, with a tail."""
        return self.random.lognormvariate(0, _LLM_SIGMA) * _MEDIAN_LLM_SECONDS


def put(span: Span, **attributes: str | float | bool | list[str]) -> None:
    """Add attributes; `__` in a name stands for a dot."""
    add = span.attributes.add
    for name, content in attributes.items():
        value = add(key=name.replace("__", ".")).value
        if isinstance(content, bool):
            value.bool_value = content
        elif isinstance(content, int):
            value.int_value = content
        elif isinstance(content, float):
            value.double_value = content
        elif isinstance(content, str):
            value.string_value = content
        else:
            value.array_value.SetInParent()
            for each in content:
                value.array_value.values.add(string_value=each)


def fail(app: Application, span: Span, values: list[Value]) -> None:
    """Let a model's call fail, with a message that echoes a piece of what was asked, as providers' messages do."""
    value = app.prose.personal()
    values.append(value)
    message = f"Error code: 400 - invalid value in messages[1].content: '{value.needles[0]}'"
    if value.kind == "pem":
        values[-1] = Value("pem", personal=True, needles=tuple(value.needles[0].splitlines()[1:-1]))
    span.status.code = Status.STATUS_CODE_ERROR
    span.status.message = message
    put(span, error__type="BadRequestError")
    event = span.events.add(name="exception", time_unix_nano=span.end_time_unix_nano)
    for key, text in (("exception.type", "openai.BadRequestError"), ("exception.message", message)):
        event.attributes.add(key=key).value.string_value = text


def message(role: str, text: str) -> dict[str, Any]:
    """A message in the form of gen_ai.input.messages."""
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def llm_span(
    app: Application,
    trace_id: bytes,
    parent: Span | None,
    start_ns: int,
    conversation: str,
    asked: list[dict[str, Any]],
    answered: str,
) -> Span:
    """A call to a model with its messages."""
    random = app.random
    provider, model, answering = random.choice(_MODELS)
    seconds = app.llm_seconds()
    span = app.span(trace_id, parent, f"chat {model}", Span.SPAN_KIND_CLIENT, start_ns, seconds)
    inputs = app.json(asked)
    put(
        span,
        gen_ai__operation__name="chat",
        gen_ai__provider__name=provider,
        gen_ai__request__model=model,
        gen_ai__response__model=answering,
        gen_ai__response__id=f"chatcmpl-{app.uuid()}",
        gen_ai__request__temperature=0.2,
        gen_ai__request__max_tokens=1024,
        gen_ai__response__finish_reasons=["stop"],
        gen_ai__usage__input_tokens=len(inputs) // 4,
        gen_ai__usage__output_tokens=len(answered) // 4,
        gen_ai__conversation__id=conversation,
        server__address=f"api.{provider}.com",
        server__port=443,
    )
    if random.random() < 0.5:
        put(span, gen_ai__request__stream=True, gen_ai__response__time_to_first_chunk=seconds * 0.3)
    put(span, gen_ai__input__messages=inputs)
    put(span, gen_ai__output__messages=app.json([message("assistant", answered) | {"finish_reason": "stop"}]))
    return span


def chat(app: Application, start_ns: int) -> Iterator[Written]:
    """Server, agent, LLM call (2 KB in, 0.5 KB out), tool and retrieval."""
    random, prose = app.random, app.prose
    trace_id, conversation = app.trace_id(), app.uuid()
    server = app.span(trace_id, None, "POST /chat", Span.SPAN_KIND_SERVER, start_ns, 0)
    put(
        server,
        http__request__method="POST",
        http__route="/chat",
        url__path="/chat",
        url__scheme="https",
        network__protocol__version="1.1",
        http__response__status_code=200,
        user_agent__original="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    )
    agent = app.span(trace_id, server, "invoke_agent support", Span.SPAN_KIND_INTERNAL, start_ns + 1_000_000, 0)
    put(
        agent,
        gen_ai__operation__name="invoke_agent",
        gen_ai__agent__name="support",
        gen_ai__agent__id="asst_support_7",
        gen_ai__provider__name="openai",
        gen_ai__conversation__id=conversation,
    )
    retrieval = app.span(trace_id, agent, "SELECT passages", Span.SPAN_KIND_CLIENT, start_ns + 2_000_000, 0.02)
    put(
        retrieval,
        db__system__name="postgresql",
        db__namespace="passages",
        db__operation__name="SELECT",
        db__query__text="SELECT id, body FROM passages ORDER BY embedding <-> $1 LIMIT $2",
        db__response__returned_rows=random.randrange(1, 9),
        server__address="passages-db",
    )
    values: list[Value] = []
    asked = [message("system", app.text(300, values)), message("user", app.text(1650, values))]
    answered = app.text(480, values)
    llm = llm_span(app, trace_id, agent, retrieval.end_time_unix_nano, conversation, asked, answered)
    if random.random() < ERROR_SHARE:
        fail(app, llm, values)
    tool_values: list[Value] = []
    tool = app.span(trace_id, agent, "execute_tool find_order", Span.SPAN_KIND_INTERNAL, llm.end_time_unix_nano, 0.05)
    arguments: dict[str, Any] = {"order": LOOK_ALIKES["order"](random), "limit": random.randrange(1, 9)}
    if random.random() < 0.1:
        value = prose.personal()
        if value.kind != "pem":
            tool_values.append(value)
            arguments["contact"] = value.needles[0]
    put(
        tool,
        gen_ai__operation__name="execute_tool",
        gen_ai__tool__name="find_order",
        gen_ai__tool__type="function",
        gen_ai__tool__call__id=f"call_{app.uuid()}",
        gen_ai__tool__call__arguments=app.json(arguments),
        gen_ai__tool__call__result=app.json({"status": prose.word("adjective"), "items": random.randrange(5)}),
    )
    agent.end_time_unix_nano = tool.end_time_unix_nano + 1_000_000
    server.end_time_unix_nano = agent.end_time_unix_nano + 1_000_000
    if llm.status.code == Status.STATUS_CODE_ERROR:
        server.status.code = Status.STATUS_CODE_ERROR
    yield Written(_SCOPES["db"], retrieval)
    yield Written(_SCOPES["llm"], llm, values)
    yield Written(_SCOPES["agent"], tool, tool_values)
    yield Written(_SCOPES["agent"], agent)
    yield Written(_SCOPES["http"], server)


def long(app: Application, start_ns: int) -> Iterator[Written]:
    """One LLM call with 32 KB of messages: passages that were found, a question and an answer."""
    values: list[Value] = []
    asked = [message("system", app.text(1000, values))]
    asked += [message("user", app.text(4000, values)) for _ in range(7)]
    answered = app.text(2000, values)
    span = llm_span(app, app.trace_id(), None, start_ns, app.uuid(), asked, answered)
    if app.random.random() < ERROR_SHARE:
        fail(app, span, values)
    yield Written(_SCOPES["llm"], span, values)


def turns(app: Application, start_ns: int) -> Iterator[Written]:
    """A conversation of 20 turns, each a trace of one LLM call that carries all that was said before."""
    random = app.random
    conversation = app.uuid()
    values: list[Value] = []
    history = [message("system", app.text(500, values))]
    for _ in range(_TURNS):
        history.append(message("user", app.text(390, values)))
        answered = app.text(340, values)
        span = llm_span(app, app.trace_id(), None, start_ns, conversation, history, answered)
        in_span = list(values)
        if random.random() < ERROR_SHARE:
            fail(app, span, in_span)
        yield Written(_SCOPES["llm"], span, in_span)
        history.append(message("assistant", answered))
        # A tool runs or someone types before the next turn, so that a request holds few turns of one conversation.
        start_ns = span.end_time_unix_nano + int(random.lognormvariate(0, 0.5) * 4e9)


def plain(app: Application, start_ns: int) -> Iterator[Written]:
    """Five spans of a web service with 20 short attributes each and no content."""
    random, prose = app.random, app.prose
    trace_id = app.trace_id()
    parent: Span | None = None
    spans: list[Written] = []
    at = start_ns
    seconds = random.lognormvariate(-3, 1)
    for depth in range(5):
        name = prose.word()
        span = app.span(
            trace_id,
            parent,
            f"GET /{name}s/{{id}}",
            Span.SPAN_KIND_CLIENT if depth % 2 else Span.SPAN_KIND_SERVER,
            at,
            seconds,
        )
        code = 200
        if random.random() < ERROR_SHARE / 5:
            span.status.code = Status.STATUS_CODE_ERROR
            code = 503
        put(
            span,
            http__request__method="GET",
            http__route=f"/{name}s/{{id}}",
            http__response__status_code=code,
            http__response__body__size=random.randrange(100, 9000),
            url__scheme="https",
            url__path=f"/{name}s/{random.randrange(1, 99999)}",
            network__protocol__name="http",
            network__protocol__version="2",
            network__transport="tcp",
            network__peer__port=443,
            server__address=f"{name}.internal",
            server__port=8443,
            user_agent__original="python-httpx/0.28.1",
            thread__id=random.randrange(1, 64),
            thread__name=f"worker-{random.randrange(1, 64)}",
            code__function__name=f"app.{name}.handle",
            code__line__number=random.randrange(1, 900),
            feature_flag__key=f"new-{prose.word()}",
        )
        request_id = app.uuid()
        put(span, app__request__id=request_id)
        values = [Value("uuid", personal=False, needles=(request_id[4:],))]
        if random.random() < 0.3:  # 0.6 KB a span: a value in 2 KB
            value = prose.personal()
            if value.kind != "pem":
                values.append(value)
                put(span, **{_PLAIN_KEYS.get(value.kind, "app__note"): value.needles[0]})
        if len(values) == 1:
            put(span, app__tenant=f"tenant-{hash_of(name) % 50}")
        spans.append(Written(_SCOPES["http"], span, values))
        parent = span
        at += int(seconds * 1e8)
        seconds *= 0.7
    yield from reversed(spans)


_PLAIN_KEYS = {"email": "user__email", "phone": "user__phone", "ip": "client__address"}

SHAPES: dict[str, Callable[[Application, int], Iterator[Written]]] = {
    "chat": chat,
    "long": long,
    "turns": turns,
    "plain": plain,
    "small": chat,
}
"""By kind of traffic."""

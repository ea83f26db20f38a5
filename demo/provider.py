"""A stand-in for the OpenAI API on loopback: chat completions (plain, streamed, tool calls), embeddings, and failures.

It answers the same request always the same way, counts tokens by a fixed rule (`count_tokens`), and keeps a ledger of
what it was asked: `GET /asked`. A request may ask for a fate by the header `x-demo-fate` (a conversation.Fate);
failures quote the prompt in their message, as real providers do. API: https://platform.openai.com/docs/api-reference
"""

import argparse
import asyncio
import contextlib
import hashlib
import json
import socket
import sys
import threading
from collections import deque
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from demo.conversation import Fate

FATE_HEADER = "x-demo-fate"
SLOW_HEADER = "x-demo-slow-seconds"
SLOW_SECONDS = 1.5
_REMEMBERED = 100_000
_PIECE = 24  # characters in a streamed chunk
_GAP_SECONDS = 0.004
_DIMENSIONS = 8
_VERSIONS = {"gpt-4o-mini": "2024-07-18", "gpt-4o": "2024-08-06", "gpt-4.1-mini": "2025-04-14"}
_ANSWERS = (
    "Thank you, we look into it today.",
    "The umbrella is in our workshop, and we will tell you when it is dry.",
    "That was our mistake: a new handle is on its way.",
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of the ledger. Token counts are those that the answer reported: all 0 for a failure."""

    operation: str  # chat | embeddings
    model: str
    stream: bool
    outcome: Fate
    input_tokens: int = 0  # cached ones included
    cached_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class _Failure:
    status: int
    type: str
    code: str | None
    message: str  # {model} and {prompt} are filled in


_FAILURES = {
    Fate.RATE_LIMIT: _Failure(
        429, "requests", "rate_limit_exceeded", "Rate limit reached for {model}. The request was: {prompt}"
    ),
    Fate.CONTEXT_OVERFLOW: _Failure(
        400,
        "invalid_request_error",
        "context_length_exceeded",
        "This model's maximum context length is 128000 tokens, which was exceeded by: {prompt}",
    ),
    Fate.PROVIDER_5XX: _Failure(
        500, "server_error", None, "The server had an error while processing your request: {prompt}"
    ),
}


def count_tokens(text: str) -> int:
    """A token for every four bytes of UTF-8, rounded up: not a tokenizer, but a rule that anyone can check."""
    return -(-len(text.encode()) // 4)


class Provider:
    """The API and its ledger. `slow_seconds` is how long the first byte of a slow answer takes."""

    def __init__(self, slow_seconds: float = SLOW_SECONDS) -> None:
        self.ledger: deque[Asked] = deque(maxlen=_REMEMBERED)
        self._slow_seconds = slow_seconds
        self.app = Starlette(
            routes=[
                Route("/v1/chat/completions", self._chat, methods=["POST"]),
                Route("/v1/embeddings", self._embeddings, methods=["POST"]),
                Route("/asked", self._asked),
            ]
        )

    async def _asked(self, _: Request) -> Response:
        return JSONResponse([asdict(asked) for asked in self.ledger])

    async def _chat(self, request: Request) -> Response:
        body = await request.json()
        model, stream, messages = body["model"], bool(body.get("stream")), body["messages"]
        prompt = next(str(m["content"]) for m in reversed(messages) if m["role"] == "user")
        fate = Fate(request.headers.get(FATE_HEADER, Fate.OK))
        if failure := _FAILURES.get(fate):
            self.ledger.append(Asked("chat", model, stream, fate))
            return _refuse(failure, model, prompt)
        slow = float(request.headers.get(SLOW_HEADER, self._slow_seconds)) if fate is Fate.SLOW else 0.0
        await asyncio.sleep(slow + _thinking_seconds(body))
        message = _answer(body, prompt)
        written = message["content"] or message["tool_calls"][0]["function"]["arguments"]
        asked = Asked(
            "chat",
            model,
            stream,
            fate,
            input_tokens=sum(count_tokens(str(m.get("content") or "")) + 4 for m in messages),
            cached_tokens=sum(count_tokens(str(m["content"])) for m in messages if m["role"] == "system"),
            output_tokens=count_tokens(written),
        )
        head = {"id": f"chatcmpl-{_digest(body)[:24]}", "created": 1_750_000_000, "model": _version(model)}
        if stream:
            with_usage = bool((body.get("stream_options") or {}).get("include_usage"))
            return StreamingResponse(
                self._stream(head, message, asked, with_usage=with_usage), media_type="text/event-stream"
            )
        self.ledger.append(asked)
        finish = "tool_calls" if message.get("tool_calls") else "stop"
        choice = {"index": 0, "message": message, "finish_reason": finish}
        return JSONResponse({**head, "object": "chat.completion", "choices": [choice], "usage": _usage(asked)})

    async def _stream(
        self, head: Mapping[str, Any], message: Mapping[str, Any], asked: Asked, *, with_usage: bool
    ) -> AsyncIterator[str]:
        """Server-sent events: a role, pieces of text that cut words and numbers anywhere, an end, the usage."""

        def chunk(delta: Mapping[str, Any], finish: str | None = None) -> str:
            choices = [{"index": 0, "delta": delta, "finish_reason": finish}]
            return _event({**head, "object": "chat.completion.chunk", "choices": choices})

        yield chunk({"role": "assistant", "content": ""})
        text = message["content"]
        for start in range(0, len(text), _PIECE):
            await asyncio.sleep(_GAP_SECONDS)
            yield chunk({"content": text[start : start + _PIECE]})
        yield chunk({}, "stop")
        # In the books before the client can know that it has everything.
        self.ledger.append(asked)
        if with_usage:
            yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(asked)})
        yield "data: [DONE]\n\n"

    async def _embeddings(self, request: Request) -> Response:
        body = await request.json()
        texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
        asked = Asked(
            "embeddings", body["model"], stream=False, outcome=Fate.OK, input_tokens=sum(map(count_tokens, texts))
        )
        self.ledger.append(asked)
        data = [{"object": "embedding", "index": i, "embedding": _embedding(text)} for i, text in enumerate(texts)]
        usage = {"prompt_tokens": asked.input_tokens, "total_tokens": asked.input_tokens}
        return JSONResponse({"object": "list", "data": data, "model": body["model"], "usage": usage})

    @contextlib.contextmanager
    def serving(self, listen: str = "127.0.0.1:0") -> Iterator[str]:
        """Serve in a thread of its own; the value is the base URL of the API. Ends with cutting what is still open."""
        with bind(listen) as listener:
            server = uvicorn.Server(self._uvicorn_config())
            thread = threading.Thread(target=server.run, args=([listener],), name="provider", daemon=True)
            thread.start()
            try:
                yield base_url(listener)
            finally:
                server.should_exit = True
                thread.join()

    def serve(self, listener: socket.socket) -> None:
        """Serve in this thread until SIGINT or SIGTERM."""
        uvicorn.Server(self._uvicorn_config()).run([listener])

    def _uvicorn_config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self.app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )


def bind(listen: str) -> socket.socket:
    """A listening TCP socket at `host:port`; port 0 takes a free one. Raises OSError when it cannot be had."""
    host, _, port = listen.rpartition(":")
    return socket.create_server((host, int(port)), backlog=128)


def base_url(listener: socket.socket) -> str:
    """What an OpenAI client calls `base_url`."""
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}/v1"


def _refuse(failure: _Failure, model: str, prompt: str) -> Response:
    error = {
        "message": failure.message.format(model=model, prompt=prompt),
        "type": failure.type,
        "param": None,
        "code": failure.code,
    }
    return JSONResponse({"error": error}, status_code=failure.status)


def _answer(body: Mapping[str, Any], prompt: str) -> dict[str, Any]:
    """A tool call while tools are offered and none has answered; otherwise words that repeat the user's."""
    if body.get("tools") and not any(m["role"] == "tool" for m in body["messages"]):
        call = {
            "id": f"call_{_digest(body)[:24]}",
            "type": "function",
            "function": {
                "name": body["tools"][0]["function"]["name"],
                "arguments": json.dumps({"question": prompt}),
            },
        }
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    answer = _ANSWERS[int(_digest(body), 16) % len(_ANSWERS)]
    return {"role": "assistant", "content": f"{answer} You wrote: {prompt}"}


def _usage(asked: Asked) -> dict[str, Any]:
    return {
        "prompt_tokens": asked.input_tokens,
        "completion_tokens": asked.output_tokens,
        "total_tokens": asked.input_tokens + asked.output_tokens,
        "prompt_tokens_details": {"cached_tokens": asked.cached_tokens},
    }


def _version(model: str) -> str:
    return f"{model}-{_VERSIONS[model]}" if model in _VERSIONS else model


def _embedding(text: str) -> list[float]:
    return [byte / 255 for byte in hashlib.sha256(text.encode()).digest()[:_DIMENSIONS]]


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _thinking_seconds(body: Mapping[str, Any]) -> float:
    """From 20 to 80 ms before the first byte, always the same for the same request."""
    return 0.02 + int(_digest(body), 16) % 61 / 1000


def _event(content: Mapping[str, Any]) -> str:
    return f"data: {json.dumps(content)}\n\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m demo.provider", description=__doc__)
    parser.add_argument("--listen", default="127.0.0.1:8080", help="host:port; port 0 takes a free one")
    options = parser.parse_args(arguments)
    with bind(options.listen) as listener:
        print(base_url(listener), flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            Provider().serve(listener)
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Requests over HTTP for the tests of that receiver."""

import httpx
from google.rpc.status_pb2 import Status

from spansieve.receive import HttpReceiverServer
from unit.receive.helpers_receive import Running

LIMIT = 1024 * 1024
PROTO = "application/x-protobuf"
JSON = "application/json"
Server = Running[HttpReceiverServer]


async def post(
    client: httpx.AsyncClient, body: bytes, content_type: str = PROTO, path: str = "/v1/traces", **headers: str
) -> httpx.Response:
    """Post a body as it is; `content_encoding="gzip"` and the like become headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post(path, content=body, headers={"content-type": content_type, **named})


def status_of(answer: httpx.Response) -> Status:
    """The Status in a protobuf answer."""
    assert answer.headers["content-type"] == PROTO
    return Status.FromString(answer.content)


def head(request: str, *headers: str) -> bytes:
    """The head of an HTTP/1.1 request."""
    return "\r\n".join([f"{request} HTTP/1.1", "host: gateway", *headers, "", ""]).encode("ascii")

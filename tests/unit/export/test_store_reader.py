"""Reading the embedded store."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spansieve.export.store_file import StoreError, StoreFile
from spansieve.export.store_reader import NoSuchTraceError, TraceStoreReader
from spansieve.model import Envelope, SampledTrace
from unit.export.helpers_export import trace

MIB = 1024 * 1024


def envelope(service: str) -> Envelope:
    """That of a service."""
    resource = Resource()
    resource.attributes.add(key="service.name").value.string_value = service
    return Envelope(resource.SerializeToString(), "", b"", "")


def write(directory: Path, *traces: SampledTrace) -> TraceStoreReader:
    """Put traces into a store, one transaction each, a nanosecond apart."""
    file = StoreFile(directory, MIB)
    file.open()
    for number, each in enumerate(traces):
        file.append([each], now_ns=number)
    file.close()
    return TraceStoreReader(directory)


def test_the_newest_come_first(tmp_path: Path) -> None:
    """Up to the limit."""
    reader = write(tmp_path, *(trace("a", number=n) for n in (1, 2, 3)))
    assert [int(each.trace_id, 16) for each in reader.list(2)] == [3, 2]


def test_a_summary_says_what_the_trace_is(tmp_path: Path) -> None:
    """Times, counts, the policy, the services and the root's name, wherever its spans came from."""
    reader = write(
        tmp_path,
        trace("root", "child", start_ns=1_000_000, policy="slow", envelope=envelope("shop")),
        trace("", "late child", start_ns=9_000_000, envelope=envelope("agent")),
    )
    (summary,) = reader.list(10)
    assert summary.trace_id == "00000000000000000000000000000001"
    assert (summary.spans, summary.errors, summary.policy, summary.stored_ns) == (4, 0, "slow", 0)
    assert (summary.services, summary.root_name) == (("agent", "shop"), "root")
    assert summary.duration_ms == 9.0


def test_a_trace_without_its_root_has_no_root_name(tmp_path: Path) -> None:
    """As when the root is late or was never sent."""
    child = Span(trace_id=b"\x01" * 16, span_id=b"\x02" * 8, parent_span_id=b"\x03" * 8, name="child")
    whole = trace("a")
    group = type(whole.groups[0])(whole.groups[0].envelope, (child.SerializeToString(),))
    reader = write(tmp_path, SampledTrace(whole.trace_id, (group,), whole.facts, whole.decision))
    assert reader.list(1)[0].root_name == ""


@pytest.mark.parametrize("prefix", ["ab", "AB", "abc", "ab" + "c0" + 28 * "0"])
def test_a_prefix_finds_the_one_trace_that_it_fits(tmp_path: Path, prefix: str) -> None:
    """Hexadecimal digits in either case, an odd number of them as well."""
    reader = write(tmp_path, trace("a", number=0xABC0 << 112), trace("b", number=0xAA00 << 112))
    assert reader.get(prefix).resource_spans[0].scope_spans[0].spans[0].name == "a"


@pytest.mark.parametrize(
    ("prefix", "sentence"),
    [
        ("a", "2 traces in .* begins with a: give more digits"),
        ("b", "No trace in .* begins with b"),
        ("xyz", "'xyz' is not a trace id"),
        ("", "'' is not a trace id"),
        ("a" * 33, "is not a trace id"),
    ],
)
def test_a_prefix_that_fits_none_or_many_is_a_sentence(tmp_path: Path, prefix: str, sentence: str) -> None:
    """What is wrong and what to do."""
    reader = write(tmp_path, trace("a", number=0xABC0 << 112), trace("b", number=0xAA00 << 112))
    with pytest.raises(NoSuchTraceError, match=sentence):
        reader.get(prefix)


def test_no_store_yet_is_a_sentence(tmp_path: Path) -> None:
    """And reading does not make one."""
    with pytest.raises(StoreError, match=r"There is no store at .* yet"):
        TraceStoreReader(tmp_path).list(1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"something else" * 100, b""])
def test_a_file_that_is_no_store_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    """Whether SQLite can read it or not."""
    (tmp_path / "traces.db").write_bytes(content)
    with pytest.raises(StoreError, match="move it away"):
        TraceStoreReader(tmp_path).list(1)


def test_a_trace_that_cannot_be_parsed_is_a_sentence(tmp_path: Path) -> None:
    """Damage inside a row, which SQLite does not see."""
    reader = write(tmp_path, trace("a"))
    with closing(sqlite3.connect(reader.path)) as other:
        other.execute("UPDATE parts SET payload = x'ffff'")
        other.commit()
    with pytest.raises(StoreError, match="is damaged: it holds a trace that cannot be parsed"):
        reader.get("0")


def test_reading_goes_on_while_a_gateway_writes(tmp_path: Path) -> None:
    """The reader sees what was committed."""
    file = StoreFile(tmp_path, MIB)
    file.open()
    file.append([trace("a", number=1)], now_ns=1)
    assert len(TraceStoreReader(tmp_path).list(10)) == 1
    file.append([trace("a", number=2)], now_ns=1)
    assert len(TraceStoreReader(tmp_path).list(10)) == 2
    file.close()


def test_reading_changes_nothing(tmp_path: Path) -> None:
    """Read-only means it."""
    reader = write(tmp_path, trace("a"))
    before = reader.path.read_bytes()
    reader.list(10)
    reader.get("0")
    assert reader.path.read_bytes() == before
    with reader._reading() as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM traces")

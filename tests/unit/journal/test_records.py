"""Records as bytes: what is written is read, and what is no record is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spansieve.journal import records
from spansieve.journal.records import (
    Batch,
    Checkpoint,
    Parked,
    ParkedRequest,
    ParkedTrace,
    Piece,
    Record,
    RecordError,
    Settled,
    Settlement,
    Verdict,
    Verdicts,
)
from spansieve.model import Because, Decision, Signal, Trigger
from spansieve.outcome import Reason

times = st.floats(0, 1e9)
ids = st.binary(min_size=16, max_size=16).filter(any)
counts = st.integers(0, (1 << 32) - 1)
decisions = st.builds(
    Decision,
    st.booleans(),
    st.text(max_size=20),
    st.sampled_from(Trigger),
    st.sampled_from(Because),
    st.one_of(st.none(), st.integers(0, 1 << 56)),
)
batches = st.builds(
    Batch,
    times,
    st.sampled_from(Signal),
    counts,
    st.dictionaries(st.sampled_from([Reason.INVALID_ID, Reason.INVALID_TIME]), counts),
    st.binary(max_size=300),
)
verdicts = st.builds(Verdicts, times, st.lists(st.builds(Verdict, ids, counts, decisions), max_size=8), counts)
settlements = st.builds(
    Settlement,
    st.integers(0, (1 << 64) - 1),
    st.sampled_from(Signal),
    st.one_of(st.just(b""), ids),
    counts,
    counts,
    st.sampled_from(Reason),
)
settled = st.builds(Settled, st.lists(settlements, max_size=8))
positions = st.integers(0, (1 << 63) - 1)
parked_traces = st.builds(ParkedTrace, positions, ids, counts, decisions, st.binary(max_size=100))
parked = st.builds(Parked, st.lists(parked_traces, max_size=5))
parked_requests = st.builds(
    ParkedRequest, positions, st.sampled_from([Signal.LOGS, Signal.METRICS]), counts, st.binary(max_size=300)
)
checkpoints = st.builds(Checkpoint, times, positions, st.dictionaries(st.text(max_size=8), counts, max_size=4))
pieces = st.builds(Piece, positions, st.text(max_size=8), st.binary(max_size=100))


@given(st.lists(st.one_of(batches, verdicts, settled, parked, parked_requests, checkpoints, pieces), max_size=5))
def test_what_is_written_is_read(written: list[Record]) -> None:
    """Any records one after the other come back equal, in order; times to the last bit."""
    assert records.decode(b"".join(map(records.encode, written))) == written


@given(st.lists(st.one_of(batches, verdicts, settled, checkpoints, pieces), max_size=5))
def test_what_is_of_the_state_is_read_alone(written: list[Record]) -> None:
    """In order, without a look at what requests brought."""
    block = b"".join(map(records.encode, written))
    of_state = [each for each in written if isinstance(each, Checkpoint | Piece)]
    assert records.decode(block, records.KINDS_OF_STATE) == of_state


@given(st.binary(max_size=100))
def test_bytes_that_are_no_record_are_refused(data: bytes) -> None:
    """With a RecordError, whatever they are."""
    try:
        records.decode(data)
    except RecordError:
        return
    assert not data or len(data) > 4


@pytest.mark.parametrize(
    "data",
    [b"\x09\x00\x00\x00\x04\x00\x02{}", b"\x01\x00\x00\xff\xff\x00\x02{}", b"\x01\x00\x00\x00\x04\x00\x02{}"],
    ids=["unknown kind", "cut off", "nothing in its head"],
)
def test_a_record_of_another_version_is_refused(data: bytes) -> None:
    """It is not guessed at."""
    with pytest.raises(RecordError):
        records.decode(data)


@given(st.one_of(batches, parked_requests, checkpoints, pieces), st.integers(1, 40))
def test_a_record_whose_end_is_missing_is_refused(record: Record, missing: int) -> None:
    """What is left of it is not taken for the whole, wherever the cut is."""
    written = records.encode(record)
    with pytest.raises(RecordError):
        records.decode(written[: -min(missing, len(written) - 1)])


def test_a_parked_request_is_of_no_trace() -> None:
    """So that it is asked for in the same way as a parked trace."""
    assert ParkedRequest(1, Signal.LOGS, 1, b"").trace_id == b""


def test_a_checkpoint_of_another_version_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the operator knows which gateway to run."""
    monkeypatch.setattr(records, "VERSION", 7)
    written = records.encode(Checkpoint(0.0, 1, {}))
    monkeypatch.undo()
    with pytest.raises(RecordError, match="version 7, and this gateway knows 2"):
        records.decode(written)


def test_an_error_quotes_nothing_of_the_payload() -> None:
    """What stood there may be what an application wrote."""
    with pytest.raises(RecordError) as raised:
        records.decode(b"\x01\x00\x00\x00\x0a\x00\x08secret!!")
    assert "secret" not in str(raised.value)
    assert raised.value.__cause__ is None


def test_many_verdicts_of_few_kinds_are_small() -> None:
    """A decision is written once in a record: each further trace takes its id and six bytes."""
    decision = Decision(keep=False, policy="", trigger=Trigger.WAIT_EXPIRED, because=Because.NO_MATCH)
    few, many = (
        len(records.encode(Verdicts(1.0, [Verdict(n.to_bytes(16, "big"), 7, decision) for n in range(count)])))
        for count in (1, 1001)
    )
    assert many - few == 1000 * 22

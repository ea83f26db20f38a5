"""Verdicts remembered, so that spans which come after the decision follow it."""

from collections import OrderedDict


class DecisionMemory:
    """Which traces were kept, with the policy that is credited, and which were sampled out: two LRU caches.

    They are bounded apart: kept traces are few and their late spans matter, sampled-out ones are many. A forgotten
    trace is a new one when its late spans come. A size of 0 remembers nothing; a million entries take about 170 MB.
    """

    def __init__(self, sampled_cache_size: int, non_sampled_cache_size: int) -> None:
        self._kept: OrderedDict[bytes, str] = OrderedDict()
        self._kept_limit = sampled_cache_size
        self._sampled_out: OrderedDict[bytes, None] = OrderedDict()
        self._sampled_out_limit = non_sampled_cache_size

    def __len__(self) -> int:
        return len(self._kept) + len(self._sampled_out)

    def remember(self, trace_id: bytes, policy: str) -> None:
        """Note a verdict: `policy` names who said keep and is empty when the trace was sampled out."""
        self._kept.pop(trace_id, None)
        self._sampled_out.pop(trace_id, None)
        if policy:
            self._kept[trace_id] = policy
            if len(self._kept) > self._kept_limit:
                self._kept.popitem(last=False)
        else:
            self._sampled_out[trace_id] = None
            if len(self._sampled_out) > self._sampled_out_limit:
                self._sampled_out.popitem(last=False)

    def recall(self, trace_id: bytes) -> str | None:
        """Recall a verdict in the form that `remember` takes, which counts as use; None when it is not remembered."""
        if (policy := self._kept.get(trace_id)) is not None:
            self._kept.move_to_end(trace_id)
            return policy
        if trace_id in self._sampled_out:
            self._sampled_out.move_to_end(trace_id)
            return ""
        return None

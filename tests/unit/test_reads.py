"""What redaction hands on beside the bytes: only what somebody behind it looks at."""

from spansieve import price_table, sampling_plan
from spansieve.config import Sampling
from spansieve.measure import Meter
from spansieve.reads import Reads
from spansieve.sample import Sampler
from spansieve.sample.probes import Probes, TextProbe


def test_only_what_is_looked_at_is_read() -> None:
    """Attributes that tell of LLM calls, those that a policy looks for today, and events of the conventions."""
    probes, meter = Probes(), Meter(price_table.load(None))
    probes.use([TextProbe("tenant", ("blue",))])
    reads = Reads(meter, Sampler(sampling_plan.plan(Sampling(), Probes()), 10, 10, probes))
    assert [reads.attribute(key) for key in ("gen_ai.request.model", "tenant", "http.route")] == [True, True, False]
    assert [reads.event(name) for name in ("gen_ai.evaluation.result", "exception.mail")] == [True, False]
    probes.use([])
    assert not reads.attribute("tenant")

"""Several processes that receive and redact for one gateway.

    worker: receive ─▶ decode ─▶ redact ─┐
    worker: receive ─▶ decode ─▶ redact ─┤ frames over a socket pair
                                         ▼
    owner:            measure ─▶ journal ─▶ sample ─▶ export        one ledger, one journal, one /metrics

The owner is the process that was started; it starts the workers, which listen on the same ports. A worker holds no
telemetry that was answered OK: it answers once the owner has written down what was handed over. `owner` is the one
end, `worker` the other, `channel` and `frames` what is between them.
"""

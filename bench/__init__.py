"""Benchmarks: what the gateway costs beside its peers, and where its time goes.

python -m bench.run            every peer, every kind of traffic: the table in bench/results/
python -m bench.run --quick    the gateway beside the stock Collector, in a minute
python -m bench.micro          the gateway's stages in one process, µs of CPU a span
python -m bench.measuring      what measuring adds to an LLM span, and to any other
"""

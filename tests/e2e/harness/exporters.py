"""What inference servers and GPUs expose, under the names of their own exporters, with numbers that rise.

Stands in for vLLM, TGI, Triton and the DCGM exporter, none of which runs without a GPU. Names and labels: vLLM's
docs/design/metrics.md, TGI's docs/source/reference/metrics.md, Triton's docs/user_guide/metrics.md, and DCGM exporter's
etc/default-counters.csv.
"""

import itertools
import threading
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_VLLM = 'model_name="mistral-7b",engine="0"'
_TRITON = 'model="embedder",version="1"'
_GPU = 'gpu="0",Hostname="node-1",modelName="NVIDIA L4"'
# name, labels → how much it grows between two scrapes
_COUNTERS: Mapping[str, Mapping[str, float]] = {
    "vllm": {
        f'vllm:time_to_first_token_seconds_bucket{{{_VLLM},le="0.1"}}': 1,
        f'vllm:time_to_first_token_seconds_bucket{{{_VLLM},le="0.5"}}': 3,
        f'vllm:time_to_first_token_seconds_bucket{{{_VLLM},le="+Inf"}}': 4,
        f"vllm:time_to_first_token_seconds_sum{{{_VLLM}}}": 1.5,
        f"vllm:time_to_first_token_seconds_count{{{_VLLM}}}": 4,
        f"vllm:generation_tokens_total{{{_VLLM}}}": 400,
        f'vllm:request_success_total{{{_VLLM},finished_reason="stop"}}': 4,
    },
    "tgi": {
        "tgi_request_count": 2,
        'tgi_request_duration_bucket{le="1"}': 1,
        'tgi_request_duration_bucket{le="+Inf"}': 2,
        "tgi_request_duration_sum": 2.5,
        "tgi_request_duration_count": 2,
        'tgi_request_mean_time_per_token_duration_bucket{le="0.05"}': 2,
        'tgi_request_mean_time_per_token_duration_bucket{le="+Inf"}': 2,
        "tgi_request_generated_tokens_sum": 90,
        "tgi_request_generated_tokens_count": 2,
    },
    "triton": {
        f"nv_inference_request_success{{{_TRITON}}}": 5,
        f"nv_inference_queue_duration_us{{{_TRITON}}}": 700,
    },
    "dcgm": {},
}
_GAUGES: Mapping[str, Mapping[str, float]] = {
    "vllm": {
        f"vllm:num_requests_running{{{_VLLM}}}": 3,
        f"vllm:num_requests_waiting{{{_VLLM}}}": 1,
        f"vllm:kv_cache_usage_perc{{{_VLLM}}}": 0.4,
    },
    "tgi": {"tgi_queue_size": 2, "tgi_batch_current_size": 4, "tgi_batch_current_max_tokens": 4096},
    "triton": {},
    "dcgm": {f"DCGM_FI_DEV_GPU_UTIL{{{_GPU}}}": 71, f"DCGM_FI_DEV_FB_USED{{{_GPU}}}": 16384},
}
JOBS = tuple(_COUNTERS)


@contextmanager
def serving() -> Iterator[dict[str, list[str]]]:
    """Serve them all; the value is the targets of each scrape job."""
    with ExitStack() as stack:
        yield {job: [stack.enter_context(_server(job))] for job in JOBS}


@contextmanager
def _server(job: str) -> Iterator[str]:
    scrapes = itertools.count(1)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            times = next(scrapes)
            lines = [f"{series} {step * times}" for series, step in _COUNTERS[job].items()]
            lines += [f"{series} {value}" for series, value in _GAUGES[job].items()]
            body = ("\n".join(lines) + "\n").encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
            """Say nothing: pytest shows what a test prints."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""The dashboard «Inference servers»: what vLLM, TGI, Triton and GPUs say of themselves, where they are scraped.

Nothing of it comes from the gateway; the names are those of each server's own exporter.
"""

from stack.generate.panels import Query, graph, page, variable


def text() -> str:
    """Return the dashboard's JSON."""
    model = variable("model", "label_values(vllm:request_success_total, model_name)")
    chosen, rate = 'model_name=~"$model"', "$__rate_interval"
    vllm = [
        graph(
            "p95 time to first token (vLLM)",
            "As the server measured it, queueing included.",
            "s",
            Query(
                "histogram_quantile(0.95, sum by (le, model_name) "
                f"(rate(vllm:time_to_first_token_seconds_bucket{{{chosen}}}[{rate}])))",
                "{{model_name}}",
            ),
        ),
        graph(
            "Output tokens a second (vLLM)",
            "Generated over all requests.",
            "short",
            Query(f"sum by (model_name) (rate(vllm:generation_tokens_total{{{chosen}}}[{rate}]))", "{{model_name}}"),
        ),
        graph(
            "Requests by how they ended (vLLM)",
            "Finished requests a second.",
            "reqps",
            Query(
                f"sum by (finished_reason) (rate(vllm:request_success_total{{{chosen}}}[{rate}]))",
                "{{finished_reason}}",
            ),
            stacked=True,
        ),
        graph(
            "Running and waiting (vLLM)",
            "Requests in the batch, and in the queue before it.",
            "short",
            Query(f"sum by (model_name) (vllm:num_requests_running{{{chosen}}})", "{{model_name}} running"),
            Query(f"sum by (model_name) (vllm:num_requests_waiting{{{chosen}}})", "{{model_name}} waiting"),
        ),
        graph(
            "Cache of keys and values (vLLM)",
            "Share of the blocks in use.",
            "percentunit",
            Query(f"max by (model_name) (vllm:kv_cache_usage_perc{{{chosen}}})", "{{model_name}}"),
        ),
    ]
    tgi = [
        graph("Queue size (TGI)", "By instance.", "short", Query("max by (instance) (tgi_queue_size)", "{{instance}}")),
        graph(
            "Batch (TGI)",
            "Requests in the current batch, and the tokens that it may hold.",
            "short",
            Query("max by (instance) (tgi_batch_current_size)", "{{instance}} requests"),
            Query("max by (instance) (tgi_batch_current_max_tokens)", "{{instance}} tokens at most"),
        ),
        graph(
            "p95 of requests (TGI)",
            "Whole requests, and one output token.",
            "s",
            *(
                Query(
                    f"histogram_quantile(0.95, sum by (le, instance) (rate({name}_bucket[{rate}])))",
                    f"{{{{instance}}}} {told}",
                )
                for name, told in (
                    ("tgi_request_duration", "request"),
                    ("tgi_request_mean_time_per_token_duration", "token"),
                )
            ),
        ),
        graph(
            "Requests and generated tokens (TGI)",
            "A second, by instance.",
            "short",
            Query(f"sum by (instance) (rate(tgi_request_count[{rate}]))", "{{instance}} requests"),
            Query(f"sum by (instance) (rate(tgi_request_generated_tokens_sum[{rate}]))", "{{instance}} tokens"),
        ),
    ]
    hardware = [
        graph(
            "GPU utilisation",
            "By card, from the DCGM exporter.",
            "percent",
            Query("max by (Hostname, gpu) (DCGM_FI_DEV_GPU_UTIL)", "{{Hostname}} {{gpu}}"),
        ),
        graph(
            "GPU memory in use",
            "By card, from the DCGM exporter.",
            "mbytes",
            Query("max by (Hostname, gpu) (DCGM_FI_DEV_FB_USED)", "{{Hostname}} {{gpu}}"),
        ),
        graph(
            "Inference requests (Triton)",
            "Successful requests a second by model.",
            "reqps",
            Query(f"sum by (model) (rate(nv_inference_request_success[{rate}]))", "{{model}}"),
        ),
        graph(
            "Mean time in the queue (Triton)",
            "Seconds by model.",
            "s",
            Query(
                f"sum by (model) (rate(nv_inference_queue_duration_us[{rate}]))"
                f" / sum by (model) (rate(nv_inference_request_success[{rate}])) / 1e6",
                "{{model}}",
            ),
        ),
    ]
    about = "What inference servers and GPUs say of themselves. Their addresses are in Prometheus' targets."
    rows = (("vLLM", vllm), ("Text Generation Inference", tgi), ("Triton and GPUs", hardware))
    return page("spansieve-inference", "Inference servers", about, [model], rows)

"""What Prometheus and Grafana are given, made from the catalogues of metrics and the YAML files of stack/.

`python -m stack.generate` writes what is stale; with `--check` it only names it, and exits with 1 when there is any.
"""

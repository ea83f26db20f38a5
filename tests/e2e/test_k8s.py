"""The files for Kubernetes: built by kustomize itself, checked by the real schemas and by those who read them there."""

import json
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from e2e.parts import build

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("real_parts")]

PROJECT = Path(__file__).parents[2]
OVERLAYS = ("small", "production")
KUBERNETES = ("1.31", kubernetes_validate.latest_version())
OPERATOR = "monitoring.coreos.com/v1"
WORKLOADS = ("Deployment", "StatefulSet")

Resource = dict[str, Any]


@cache
def resources(overlay: str) -> list[Resource]:
    """What an overlay comes to."""
    built = subprocess.run(
        [build.locate("kustomize"), "build", PROJECT / "k8s" / "overlays" / overlay],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return list(yaml.safe_load_all(built.stdout))


def of_kind(overlay: str, *kinds: str) -> list[Resource]:
    """The resources of these kinds."""
    return [each for each in resources(overlay) if each["kind"] in kinds]


def named(overlay: str, kind: str, name: str) -> Resource:
    """The resource of a kind whose name starts so (kustomize adds a digest to those of ConfigMaps)."""
    (only,) = [each for each in of_kind(overlay, kind) if each["metadata"]["name"].startswith(name)]
    return only


def pod(workload: Resource) -> Resource:
    """The specification of its pods."""
    specification: Resource = workload["spec"]["template"]["spec"]
    return specification


@pytest.mark.parametrize("version", KUBERNETES)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_resources_are_what_the_schema_says(overlay: str, version: str) -> None:
    """Every resource of Kubernetes' own, at the oldest version meant and at the newest known, with no unknown field."""
    own = [each for each in resources(overlay) if each["apiVersion"] != OPERATOR]
    for each in own:
        kubernetes_validate.validate(each, version, strict=True)
    assert {each["kind"] for each in own} >= {
        "Namespace", "ConfigMap", "Service", "StatefulSet", "Deployment", "PodDisruptionBudget",
        "HorizontalPodAutoscaler", "NetworkPolicy",
    }  # fmt: skip


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_fit_the_restricted_standard(overlay: str) -> None:
    """No root, no privileges, no writable root file system, no token of the API, no host; as the namespace demands."""
    (namespace,) = of_kind(overlay, "Namespace")
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for workload in of_kind(overlay, *WORKLOADS):
        specification = pod(workload)
        security = specification["securityContext"]
        assert (security["runAsNonRoot"], security["runAsUser"] > 0) == (True, True)
        assert security["seccompProfile"] == {"type": "RuntimeDefault"}
        assert specification["automountServiceAccountToken"] is False
        assert not {"hostNetwork", "hostPID", "hostIPC"} & specification.keys()
        assert {key for volume in specification.get("volumes", ()) for key in volume} <= {
            "name",
            "configMap",
            "emptyDir",
        }
        for container in specification["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_containers_have_probes_and_requests(overlay: str) -> None:
    """Readiness, liveness, what they ask for, and a bound on memory that is what they ask for."""
    for workload in of_kind(overlay, *WORKLOADS):
        for container in pod(workload)["containers"]:
            assert {"readinessProbe", "livenessProbe"} <= container.keys()
            resources_of = container["resources"]
            assert resources_of["requests"]["memory"] == resources_of["limits"]["memory"]
            assert "cpu" in resources_of["requests"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_are_named_and_not_told(overlay: str) -> None:
    """There is no Secret among the resources, and no value of a variable that looks like one."""
    assert not of_kind(overlay, "Secret")
    for workload in of_kind(overlay, *WORKLOADS):
        for container in pod(workload)["containers"]:
            for variable in container.get("env", ()):
                if re.search("KEY|SECRET|TOKEN|PASSWORD", variable["name"]):
                    assert "secretKeyRef" in variable["valueFrom"]


def test_production_does_not_start_without_the_journal_key() -> None:
    """A key beside the journal protects nothing from who can read the volume."""
    (gateway,) = pod(named("production", "StatefulSet", "spansieve-gateway"))["containers"]
    (key,) = [each for each in gateway["env"] if each["name"] == "SPANSIEVE_JOURNAL_KEY"]
    assert key["valueFrom"]["secretKeyRef"]["optional"] is False


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_gateway_reads_its_configuration(overlay: str, tmp_path: Path) -> None:
    """`spansieve check`, with the variables that the pod has."""
    text = named(overlay, "ConfigMap", "spansieve-gateway")["data"]["gateway.yaml"]
    (tmp_path / "gateway.yaml").write_text(text, encoding="utf-8")
    (container,) = pod(named(overlay, "StatefulSet", "spansieve-gateway"))["containers"]
    environment = {each["name"]: each["value"] for each in container["env"] if "value" in each}
    checked = subprocess.run(
        [sys.executable, "-m", "spansieve", "check", "--config", str(tmp_path / "gateway.yaml")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PATH": "", **environment},
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_gateway_stops_within_the_grace_of_its_pod(overlay: str) -> None:
    """shutdown_timeout, and the seconds for requests under way, end before Kubernetes kills."""
    text = named(overlay, "ConfigMap", "spansieve-gateway")["data"]["gateway.yaml"]
    timeout = int(re.findall(r"shutdown_timeout: (\d+)s", text)[0])
    specification = pod(named(overlay, "StatefulSet", "spansieve-gateway"))
    assert timeout + 10 <= specification["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_journal_and_memory_fit_what_the_pod_has(overlay: str) -> None:
    """The journal's bound is below the volume's size, the telemetry's about half of the memory."""
    stateful = named(overlay, "StatefulSet", "spansieve-gateway")
    (container,) = pod(stateful)["containers"]
    values = {each["name"]: each.get("value") for each in container["env"]}
    (claim,) = stateful["spec"]["volumeClaimTemplates"]
    gibibytes = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi"))
    memory = int(container["resources"]["limits"]["memory"].removesuffix("Gi"))
    assert int(values.get("SPANSIEVE_JOURNAL_MAX_MIB") or 4096) < gibibytes * 1024
    assert int(values.get("SPANSIEVE_MEMORY_LIMIT_MIB") or 512) * 2 <= memory * 1024


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_collector_accepts_the_balancers_configuration(overlay: str, tmp_path: Path) -> None:
    """The Collector's own `validate`."""
    text = named(overlay, "ConfigMap", "spansieve-balancer")["data"]["balancer.yaml"]
    (tmp_path / "balancer.yaml").write_text(text, encoding="utf-8")
    subprocess.run(
        [build.locate("otelcol"), "validate", f"--config={tmp_path / 'balancer.yaml'}"],
        capture_output=True,
        check=True,
        timeout=60,
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_balancers_find_the_gateways(overlay: str) -> None:
    """By the headless service, whose selector is the gateways' label, at the port that they name."""
    service = named(overlay, "Service", "spansieve-gateways")
    stateful = named(overlay, "StatefulSet", "spansieve-gateway")
    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["selector"].items() <= stateful["spec"]["template"]["metadata"]["labels"].items()
    assert stateful["spec"]["serviceName"] == service["metadata"]["name"]
    (balancer,) = pod(named(overlay, "Deployment", "spansieve-balancer"))["containers"]
    environment = {each["name"]: each["value"] for each in balancer["env"]}
    assert environment["SPANSIEVE_HOSTNAME"] == service["metadata"]["name"]
    assert environment["SPANSIEVE_OTLP_ENDPOINT"] == service["metadata"]["name"] + ":4317"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_named_port_is_a_containers(overlay: str) -> None:
    """Of services, probes and network policies."""
    ports = {
        port["name"]
        for each in of_kind(overlay, *WORKLOADS)
        for box in pod(each)["containers"]
        for port in box["ports"]
    }
    named_ports = {port["targetPort"] for each in of_kind(overlay, "Service") for port in each["spec"]["ports"]} | {
        port["port"]
        for each in of_kind(overlay, "NetworkPolicy")
        for rule in each["spec"].get("ingress", ())
        for port in rule["ports"]
    }
    assert {each for each in named_ports if isinstance(each, str)} <= ports


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_only_what_holds_nothing_scales_by_itself(overlay: str) -> None:
    """The balancers; a gateway that goes takes its traces with it, so that their number is a decision."""
    (scaler,) = of_kind(overlay, "HorizontalPodAutoscaler")
    assert scaler["spec"]["scaleTargetRef"]["kind"] == "Deployment"


def test_nothing_is_reached_but_what_is_named() -> None:
    """The first policy denies all in both directions; the gateway's egress is names and the Collector behind it."""
    denied = named("production", "NetworkPolicy", "default-deny")["spec"]
    assert denied == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    (egress,) = named("production", "NetworkPolicy", "gateway")["spec"]["egress"]
    assert egress["ports"] == [{"protocol": "TCP", "port": 4317}]


def test_rules_are_those_of_the_stack(tmp_path: Path) -> None:
    """promtool reads the PrometheusRule's groups, which are those that Prometheus has in the stack."""
    groups = named("production", "PrometheusRule", "spansieve")["spec"]["groups"]
    files = sorted((PROJECT / "stack/prometheus/rules").glob("*.yml"))
    shipped = [group["name"] for file in files for group in yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]]
    assert sorted(group["name"] for group in groups) == sorted(shipped)
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": groups}), encoding="utf-8")
    subprocess.run(
        [build.locate("promtool"), "check", "rules", tmp_path / "rules.yml"],
        capture_output=True,
        check=True,
        timeout=60,
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_metrics_come_one_way(overlay: str) -> None:
    """Where the operator scrapes the gateways they do not push as well: each sum would be twice what it is."""
    (container,) = pod(named(overlay, "StatefulSet", "spansieve-gateway"))["containers"]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    scraped = bool(of_kind(overlay, "ServiceMonitor"))
    assert (environment.get("SPANSIEVE_PUSH_INTERVAL") == "0s") == scraped


def test_monitor_finds_the_gateways_service() -> None:
    """By its labels and the name of its port."""
    monitor = named("production", "ServiceMonitor", "spansieve-gateway")["spec"]
    service = named("production", "Service", "spansieve-gateways")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert {each["port"] for each in monitor["endpoints"]} <= {port["name"] for port in service["spec"]["ports"]}


def built_from(guide: str, folder: Path) -> dict[tuple[str, str], Resource]:
    """The resources of the overlay that a guide shows, by kind and name."""
    (shown,) = re.findall(r"```yaml\n# kustomization\.yaml\n(.*?)```", guide, re.DOTALL)
    for part in ("k8s", "collector-config"):
        shutil.copytree(PROJECT / part, folder / part)
    ours = folder / "k8s/overlays/ours"
    ours.mkdir()
    (ours / "kustomization.yaml").write_text(shown, encoding="utf-8")
    shutil.copy(PROJECT / "k8s/base/gateway-config.yaml", ours / "gateway.yaml")
    (ours / "acme.yaml").write_text("name: acme\n", encoding="utf-8")
    built = subprocess.run(
        [build.locate("kustomize"), "build", ours], capture_output=True, text=True, check=True, timeout=60
    )
    return {(each["kind"], each["metadata"]["name"]): each for each in yaml.safe_load_all(built.stdout)}


def test_the_overlay_that_the_guide_shows_builds(tmp_path: Path) -> None:
    """With the image, the Collector, the namespace and the files that it names, in place of the base's."""
    guide = (PROJECT / "docs/guides/kubernetes.md").read_text(encoding="utf-8")
    made = built_from(guide, tmp_path)
    (container,) = pod(made["StatefulSet", "spansieve-gateway"])["containers"]
    environment = {each["name"]: each.get("value") for each in container["env"]}
    assert container["image"] == "registry.example.com/spansieve:0.1.0"
    assert environment["SPANSIEVE_EXPORT_ENDPOINT"] == "collector.monitoring.svc:4317"
    (config,) = [each for (kind, name), each in made.items() if kind == "ConfigMap" and "gateway" in name]
    assert set(config["data"]) == {"gateway.yaml", "acme.yaml"}
    (egress,) = made["NetworkPolicy", "gateway"]["spec"]["egress"]
    assert egress["to"][0]["namespaceSelector"]["matchLabels"] == {"kubernetes.io/metadata.name": "monitoring"}


def test_a_teams_own_gateways_are_its_own(tmp_path: Path) -> None:
    """In the namespace that the guide gives them, with its policy; nothing of it names another team's namespace."""
    made = built_from((PROJECT / "docs/guides/platform.md").read_text(encoding="utf-8"), tmp_path)
    assert ("Namespace", "spansieve-chat") in made
    assert {each["metadata"].get("namespace") for each in made.values()} == {"spansieve-chat", None}
    assert "spansieve.svc" not in str(made)
    (config,) = [each for (kind, name), each in made.items() if kind == "ConfigMap" and "gateway" in name]
    assert set(config["data"]) == {"gateway.yaml", "acme.yaml"}

"""docker-compose.yml, the two images, and the configuration of the stock parts: that they fit each other."""

import itertools
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from e2e.parts import build, processes
from spansieve import config

PROJECT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = {
    name: PROJECT / service["build"]["dockerfile"] for name, service in SERVICES.items() if "build" in service
}
COLLECTOR_FILES = sorted(
    set((PROJECT / "collector-config").glob("*.yaml")) - {PROJECT / "collector-config/kustomization.yaml"}
)
YAML_FILES = [*COLLECTOR_FILES, *sorted(p for p in (PROJECT / "stack").rglob("*") if p.suffix in {".yml", ".yaml"})]
each_service = pytest.mark.parametrize("name", SERVICES)


def _named(path: Path) -> str:
    return str(path.relative_to(PROJECT))


def _environment(path: Path) -> dict[str, str | None]:
    """The environment variables that a file asks for: name to default, None where it has no default."""
    text = path.read_text(encoding="utf-8")
    prefix = "env:" if "${env:" in text else ""
    found = re.findall(r"\$\{" + prefix + r"([A-Z_]+)(?::-([^}]*))?\}", text)
    return {name: default or None for name, default in found}


@pytest.mark.parametrize("path", YAML_FILES, ids=_named)
def test_every_file_is_yaml(path: Path) -> None:
    """Each configuration file holds a mapping or a list."""
    assert isinstance(yaml.safe_load(path.read_text(encoding="utf-8")), dict | list)


@each_service
def test_images_are_pinned(name: str) -> None:
    """An image that is pulled is of one version, not of whatever is the latest."""
    assert re.fullmatch(r"[a-z0-9./-]+:v?\d+\.\d+\.\d+", SERVICES[name]["image"])


@pytest.mark.parametrize("path", DOCKERFILES.values(), ids=_named)
def test_base_images_are_pinned(path: Path) -> None:
    """An image that is built begins from one version of Python."""
    text = path.read_text(encoding="utf-8")
    default = dict(re.findall(r"^ARG (\w+)=(\S+)", text, re.MULTILINE))
    bases = [default.get(base.strip("${}"), base) for base in re.findall(r"^FROM (\S+)", text, re.MULTILINE)]
    assert bases
    assert all(re.fullmatch(r"python:3\.11\.\d+-slim-\w+", base) for base in bases)


@each_service
def test_nothing_runs_as_root(name: str) -> None:
    """Each service runs as a numeric user and group that are not 0."""
    user, group = SERVICES[name]["user"].split(":")
    assert int(user) > 0
    assert int(group) > 0


@pytest.mark.parametrize("path", DOCKERFILES.values(), ids=_named)
def test_images_do_not_run_as_root(path: Path) -> None:
    """The last word of each Dockerfile on users is a numeric one that is not 0."""
    assert re.findall(r"^USER (\S+)", path.read_text(encoding="utf-8"), re.MULTILINE)[-1] == "10001:10001"


@each_service
def test_services_are_hardened(name: str) -> None:
    """Each service has a read-only root filesystem, no capabilities, and no way to gain privileges."""
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert not service.get("privileged")


def _has_health_check(name: str) -> bool:
    if "healthcheck" in SERVICES[name]:
        return "test" in SERVICES[name]["healthcheck"]
    return name in DOCKERFILES and "\nHEALTHCHECK " in DOCKERFILES[name].read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"demo"}))
def test_every_service_that_serves_has_its_health_checked(name: str) -> None:
    """A service has a health check, or, where its image can run none, another service checks its health port."""
    probe = "\n".join(SERVICES["collectors"]["healthcheck"]["test"])
    assert _has_health_check(name) or (f'"{name}"' in probe and ":13133/" in probe)


@each_service
def test_only_services_with_a_health_check_are_awaited_as_healthy(name: str) -> None:
    """`condition: service_healthy` names a service that can become healthy."""
    for other, wait in SERVICES[name].get("depends_on", {}).items():
        assert other in SERVICES
        assert wait["condition"] != "service_healthy" or _has_health_check(other)


def _mounts() -> list[tuple[str, str, str, str]]:
    return [
        (name, *(f"{volume}:rw".split(":"))[:3])  # type: ignore[misc] - source, target and mode: three texts
        for name, service in SERVICES.items()
        for volume in service.get("volumes", [])
    ]


@pytest.mark.parametrize(("name", "source", "target", "mode"), _mounts())
def test_mounts_exist(name: str, source: str, target: str, mode: str) -> None:
    """What is mounted is a file or folder of this project, read-only, or a declared volume."""
    if source.startswith("./"):
        assert (PROJECT / source).exists()
        assert mode == "ro"
    else:
        assert source in COMPOSE["volumes"]


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("agent-collector", "--config="),
        ("backend-collector", "--config="),
        ("prometheus", "--config.file="),
        ("alertmanager", "--config.file="),
    ],
)
def test_configuration_is_mounted_where_it_is_read(name: str, flag: str) -> None:
    """The file that the command names is mounted, alone or with its folder."""
    asked = next(word.removeprefix(flag) for word in SERVICES[name]["command"] if word.startswith(flag))
    targets = {target: source for service, source, target, _ in _mounts() if service == name}
    if asked in targets:
        assert (PROJECT / targets[asked]).is_file()
    else:
        folder, _, file = asked.rpartition("/")
        assert (PROJECT / targets[folder] / file).is_file()


@each_service
def test_ports_are_published_on_loopback_only(name: str) -> None:
    """Nothing is reachable from another machine unless somebody changes the file."""
    assert all(str(port).startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


def test_published_ports_do_not_collide() -> None:
    """Each port of the host is published once."""
    published = [port.split(":")[1] for service in SERVICES.values() for port in service.get("ports", [])]
    assert len(published) == len(set(published))


def _listening() -> set[str]:
    """Every host:port of the Compose network at which something listens, read from the parts' own configuration."""
    agent, backend = (
        {
            d.rpartition(":")[2]
            for n, d in _environment(PROJECT / "collector-config" / f"{f}.yaml").items()
            if d and w in n
        }
        for f, w in (("agent", "AGENT_"), ("backend", "BACKEND_"))
    )
    tempo = {
        default.rpartition(":")[2] for default in _environment(PROJECT / "stack/tempo/tempo.yaml").values() if default
    }
    gateway = config.load(PROJECT / "stack" / "gateway.yaml", {})
    protocols = gateway.receivers.otlp.protocols
    assert protocols.grpc
    assert protocols.http
    ports = {
        "agent-collector": {*agent, "8888"},
        "backend-collector": {*backend, "8888"},
        "tempo": tempo,
        "spansieve": {
            endpoint.rpartition(":")[2]
            for endpoint in (protocols.grpc.endpoint, protocols.http.endpoint, gateway.telemetry.metrics.endpoint)
        },
        "prometheus": {"9090"},  # Prometheus', Alertmanager's and Grafana's own defaults
        "alertmanager": {"9093"},
        "grafana": {"3000"},
    }
    return {f"{name}:{port}" for name, found in ports.items() for port in found}


@each_service
def test_published_ports_are_listened_at(name: str) -> None:
    """Behind each published port the service's configuration listens."""
    assert {f"{name}:{port.split(':')[2]}" for port in SERVICES[name].get("ports", [])} <= _listening()


def _dialled() -> list[tuple[str, str]]:
    """Every host:port that a file or a service's environment names as a peer, with where it stands."""
    files = [PROJECT / "docker-compose.yml", *YAML_FILES]
    peer = re.compile(rf"\b({'|'.join(SERVICES)}):(\d+)\b")
    return sorted(
        {
            (_named(path), f"{host}:{port}")
            for path in files
            for line in path.read_text(encoding="utf-8").splitlines()
            if "image:" not in line
            for host, port in peer.findall(line)
        }
    )


@pytest.mark.parametrize(("where", "peer"), _dialled())
def test_peers_listen_where_they_are_dialled(where: str, peer: str) -> None:
    """Each address of another service is one at which that service listens."""
    assert peer in _listening()


def test_the_way_of_the_telemetry() -> None:
    """Applications reach the stores only through the gateway: demo, agent, gateway, backend, stores."""
    ways = set(_dialled())
    assert SERVICES["demo"]["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"] == "http://agent-collector:4317"
    assert ("collector-config/agent.yaml", "spansieve:4317") in ways
    assert ("stack/gateway.yaml", "backend-collector:4317") in ways
    assert ("collector-config/backend.yaml", "tempo:4317") in ways
    assert ("collector-config/backend.yaml", "prometheus:9090") in ways
    assert {peer for where, peer in ways if where == "collector-config/agent.yaml"} == {"spansieve:4317"}


def test_the_gateway_is_not_scraped() -> None:
    """The gateway's metrics reach Prometheus by one way, the push, so that sums count once."""
    targets = (PROJECT / "stack" / "prometheus" / "targets").iterdir()
    assert not any("spansieve" in target.read_text(encoding="utf-8") for target in targets)


def test_every_scrape_job_has_its_targets() -> None:
    """Each file of targets that Prometheus reads is there, and no other."""
    prometheus = yaml.safe_load((PROJECT / "stack/prometheus/prometheus.yml").read_text(encoding="utf-8"))
    sources = [*prometheus["scrape_configs"], *prometheus["alerting"]["alertmanagers"]]
    wanted = {file for source in sources for files in source["file_sd_configs"] for file in files["files"]}
    there = {f"targets/{path.name}" for path in (PROJECT / "stack" / "prometheus" / "targets").iterdir()}
    assert wanted == there


@pytest.mark.parametrize("path", [*COLLECTOR_FILES, PROJECT / "stack/tempo/tempo.yaml"], ids=_named)
def test_every_environment_variable_has_a_default_and_can_be_moved(path: Path) -> None:
    """A file runs in Compose as it is, and a native run knows each of its variables."""
    knows = Path(processes.__file__).read_text(encoding="utf-8")
    for name, default in _environment(path).items():
        assert default
        assert f'"{name}"' in knows or name in {"SPANSIEVE_HOSTNAME", "SPANSIEVE_PORT"}


def test_the_tier_asks_for_the_gateway_of_the_stack() -> None:
    """The load-balancing tier's defaults name the gateway's service and its OTLP/gRPC port."""
    asked = _environment(PROJECT / "collector-config" / "loadbalancing.yaml")
    assert f"{asked['SPANSIEVE_HOSTNAME']}:{asked['SPANSIEVE_PORT']}" == asked["SPANSIEVE_OTLP_ENDPOINT"]
    assert asked["SPANSIEVE_OTLP_ENDPOINT"] in _listening()


def test_there_are_no_secrets() -> None:
    """No service is given a password, a key or a token."""
    names = [name for service in SERVICES.values() for name in service.get("environment", {})]
    assert not [name for name in names if re.search("PASSWORD|SECRET|TOKEN|API_?KEY|CREDENTIAL", name)]


@pytest.mark.parametrize(
    ("name", "flags"),
    [("prometheus", processes.prometheus_flags()), ("alertmanager", processes.alertmanager_flags())],
)
def test_parts_are_started_alike_everywhere(name: str, flags: tuple[str, ...]) -> None:
    """Compose and native runs give Prometheus and Alertmanager the same flags."""
    assert set(flags) <= set(SERVICES[name]["command"])


def test_the_gateway_keeps_its_files_on_its_volume() -> None:
    """The directory in the gateway's configuration is the one that the image prepares and Compose mounts."""
    directory = str(config.load(PROJECT / "stack" / "gateway.yaml", {}).storage.directory)
    assert ("spansieve", "spansieve-data", directory, "rw") in _mounts()
    assert directory in DOCKERFILES["spansieve"].read_text(encoding="utf-8")


def test_the_gateway_is_given_time_to_stop() -> None:
    """Compose waits longer than the 30 s within which the gateway stops."""
    assert int(SERVICES["spansieve"]["stop_grace_period"].removesuffix("s")) > 30


def test_the_gateway_is_asked_where_it_answers() -> None:
    """The image's health check asks the port at which the gateway's configuration serves /readyz."""
    port = config.load(PROJECT / "stack" / "gateway.yaml", {}).telemetry.metrics.endpoint.rpartition(":")[2]
    assert f"http://127.0.0.1:{port}/readyz" in DOCKERFILES["spansieve"].read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCKERFILES.values(), ids=_named)
def test_packages_are_installed_by_their_hashes(path: Path) -> None:
    """Images install what the locks say, checked by hash."""
    installs = [line for line in path.read_text(encoding="utf-8").splitlines() if "pip install" in line]
    assert installs
    assert all("--require-hashes" in line for line in installs)


@pytest.mark.parametrize("path", DOCKERFILES.values(), ids=_named)
def test_what_is_copied_is_there_and_not_ignored(path: Path) -> None:
    """Each file that a Dockerfile copies exists, and .dockerignore lets it through."""
    through = re.findall(r"^!(\S+)", (PROJECT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)
    for source in re.findall(r"^COPY (?!--from)(\S+)", path.read_text(encoding="utf-8"), re.MULTILINE):
        assert (PROJECT / source).exists()
        assert source in through


def test_containers_and_native_runs_are_of_one_version() -> None:
    """The images are of the versions that the recipes build."""
    recipe = (build.RECIPES / "otelcol" / "ocb.yaml").read_text(encoding="utf-8")
    versions = {version for _, version in re.findall(r"gomod: (\S+) v(\S+)", recipe)}
    stamps = {
        name: next(
            re.findall(r"[vV]ersion=(\S+)", word)[0] for word in itertools.chain(*part.commands) if "ersion=" in word
        )
        for name, part in build.PARTS.items()
        if name != "otelcol"
    }
    assert {SERVICES["agent-collector"]["image"].rpartition(":")[2]} == versions
    for name in ("prometheus", "alertmanager"):
        assert SERVICES[name]["image"].endswith(f":v{stamps[name]}")
    assert SERVICES["tempo"]["image"].endswith(f":{stamps['tempo']}")


def test_the_dashboard_is_found_where_grafana_looks() -> None:
    """The provisioned folder is the one that Compose mounts the dashboards at."""
    providers = yaml.safe_load(
        (PROJECT / "stack/grafana/provisioning/dashboards/dashboards.yaml").read_text(encoding="utf-8")
    )["providers"]
    folder = providers[0]["options"]["path"]
    assert ("grafana", "./stack/grafana/dashboards", folder, "ro") in _mounts()
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{folder}/spansieve.json"

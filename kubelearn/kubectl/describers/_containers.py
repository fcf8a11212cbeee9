"""Containers, probes, environment, mounts and volumes: what pods and pod templates have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl.describers import _writer as w
from kubelearn.kubectl.describers._writer import Writer

Resolve = Callable[[str], str]
_TYPES = {
    "emptyDir": "EmptyDir (a temporary directory that shares a pod's lifetime)",
    "hostPath": "HostPath (bare host directory volume)",
    "secret": "Secret (a volume populated by a Secret)",
    "configMap": "ConfigMap (a volume populated by a ConfigMap)",
    "persistentVolumeClaim": "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
    "projected": "Projected (a volume that contains injected data from multiple sources)",
    "downwardAPI": "DownwardAPI (a volume populated by information about the pod)",
}


def containers(
    out: Writer,
    title: str,
    specs: list[Obj],
    statuses: list[Obj] | None = None,
    indent: str = "",
    resolve: Resolve | None = None,
) -> None:
    """`indent` is that of a pod template's containers; without statuses only the specification is told."""
    by_name = {s["name"]: s for s in statuses or []}
    out.line(0, f"{indent}{title}:" if specs else f"{indent}{title}: <none>")
    for spec in specs:
        _container(out, spec, by_name.get(spec["name"]), " " if indent else "", resolve)


def _container(out: Writer, spec: Obj, status: Obj | None, indent: str, resolve: Resolve | None) -> None:
    out.line(1, f"{indent}{spec['name']}:")
    if status:
        out.field("Container ID", status.get("containerID", ""), 2)
    out.field("Image", spec.get("image", ""), 2)
    if status:
        out.field("Image ID", status.get("imageID", ""), 2)
    _ports(out, spec.get("ports") or [])
    for name in ("command", "args"):
        if spec.get(name):
            out.line(2, f"{name.capitalize()}:")
            for word in spec[name]:
                for part in word.split("\n"):
                    out.line(3, part)
    if status:
        _state(out, "State", status.get("state") or {})
        if (status.get("lastState") or {}).get("terminated"):
            _state(out, "Last State", status["lastState"])
        out.field("Ready", w.boolean(status.get("ready")), 2)
        out.field("Restart Count", status.get("restartCount", 0), 2)
    resources = spec.get("resources") or {}
    w.quantities(out, "Limits", resources.get("limits"), 2)
    w.quantities(out, "Requests", resources.get("requests"), 2)
    for name in ("liveness", "readiness", "startup"):
        if probe := spec.get(f"{name}Probe"):
            out.field(name.capitalize(), probe_text(probe), 2)
    _environment(out, spec, resolve)
    _mounts(out, spec)


def _ports(out: Writer, ports: list[Obj]) -> None:
    for title, key in (("Port", "containerPort"), ("Host Port", "hostPort")):
        texts = []
        for port in ports:
            text = f"{port.get(key, 0)}/{port.get('protocol', 'TCP')}"
            texts.append(f"{text} ({port['name']})" if port.get("name") else text)
        out.field(title + ("s" if len(texts) > 1 else ""), ", ".join(texts) or "<none>", 2)


def _state(out: Writer, title: str, state: Mapping[str, Any]) -> None:
    kind = next((k for k in ("running", "waiting", "terminated") if state.get(k) is not None), "waiting")
    detail = state.get(kind) or {}
    out.field(title, kind.capitalize(), 2)
    if kind != "running" and detail.get("reason"):
        out.field("Reason", detail["reason"], 3)
    if kind == "running":
        out.field("Started", w.time(detail.get("startedAt")), 3)
    if kind == "terminated":
        if detail.get("message"):
            out.field("Message", detail["message"], 3)
        out.field("Exit Code", detail.get("exitCode", 0), 3)
        if detail.get("signal"):
            out.field("Signal", detail["signal"], 3)
        out.field("Started", _go_time(detail.get("startedAt")), 3)
        out.field("Finished", _go_time(detail.get("finishedAt")), 3)


def _go_time(text: str | None) -> str:
    return w.time(text) if text else "Mon, 01 Jan 0001 00:00:00 +0000"


def probe_text(probe: Obj) -> str:
    """`http-get http://:8080/healthz delay=0s timeout=1s period=10s successThreshold=1 failureThreshold=3`."""
    attributes = (
        f"delay={probe.get('initialDelaySeconds', 0)}s timeout={probe.get('timeoutSeconds', 0)}s "
        f"period={probe.get('periodSeconds', 0)}s successThreshold={probe.get('successThreshold', 0)} "
        f"failureThreshold={probe.get('failureThreshold', 0)}"
    )
    if (run := probe.get("exec")) is not None:
        return f"exec [{' '.join(run.get('command') or [])}] {attributes}"
    if (http := probe.get("httpGet")) is not None:
        scheme = (http.get("scheme") or "HTTP").lower()
        return f"http-get {scheme}://{http.get('host', '')}:{http.get('port', '')}{http.get('path', '')} {attributes}"
    if (tcp := probe.get("tcpSocket")) is not None:
        return f"tcp-socket {tcp.get('host', '')}:{tcp.get('port', '')} {attributes}"
    if (grpc := probe.get("grpc")) is not None:
        return f"grpc <pod>:{grpc.get('port', '')} {grpc.get('service') or ''} {attributes}"
    return f"unknown {attributes}"


def _environment(out: Writer, spec: Obj, resolve: Resolve | None) -> None:
    if spec.get("envFrom"):
        out.line(2, "Environment Variables from:")
        for source in spec["envFrom"]:
            kind = "ConfigMap" if "configMapRef" in source else "Secret"
            ref = source.get("configMapRef") or source.get("secretRef") or {}
            prefix = f" with prefix '{source['prefix']}'" if source.get("prefix") else ""
            optional = str(bool(ref.get("optional"))).lower()
            out.line(3, f"{ref.get('name', '')}\t{kind}{prefix}\tOptional: {optional}")
    if not spec.get("env"):
        out.line(2, "Environment:\t<none>")
        return
    out.line(2, "Environment:")
    for entry in spec["env"]:
        _variable(out, entry, resolve)


def _variable(out: Writer, entry: Obj, resolve: Resolve | None) -> None:
    name, source = entry["name"], entry.get("valueFrom")
    if not source:
        first, *more = (entry.get("value") or "").split("\n")
        out.line(3, f"{name}:\t{first}")
        for part in more:
            out.line(3, f"\t{part}")
    elif ref := source.get("fieldRef"):
        value = resolve(ref["fieldPath"]) if resolve else ""
        out.line(3, f"{name}:\t{value} ({ref.get('apiVersion', 'v1')}:{ref['fieldPath']})")
    elif ref := source.get("resourceFieldRef"):
        out.line(3, f"{name}:\t ({ref.get('resource', '')})")
    elif ref := source.get("secretKeyRef"):
        optional = str(bool(ref.get("optional"))).lower()
        out.line(3, f"{name}:\t<set to the key '{ref['key']}' in secret '{ref.get('name', '')}'>\tOptional: {optional}")
    elif ref := source.get("configMapKeyRef"):
        optional = str(bool(ref.get("optional"))).lower()
        text = f"<set to the key '{ref['key']}' of config map '{ref.get('name', '')}'>"
        out.line(3, f"{name}:\t{text}\tOptional: {optional}")


def _mounts(out: Writer, spec: Obj) -> None:
    mounts = sorted(spec.get("volumeMounts") or [], key=lambda m: m["mountPath"])
    out.line(2, "Mounts:" if mounts else "Mounts:\t<none>")
    for mount in mounts:
        flags = "ro" if mount.get("readOnly") else "rw"
        if mount.get("subPath"):
            flags += f',path="{mount["subPath"]}"'
        out.line(3, f"{mount['mountPath']} from {mount['name']} ({flags})")


def volumes(out: Writer, found: list[Obj], indent: str = "") -> None:
    if not found:
        out.line(0, f"{indent}Volumes:\t<none>")
        return
    out.line(0, f"{indent}Volumes:")
    for volume in found:
        out.line(1, f"{' ' if indent else ''}{volume['name']}:")
        _volume(out, volume)


def _volume(out: Writer, volume: Obj) -> None:
    kind = next((k for k in volume if k != "name"), "emptyDir")
    source = volume.get(kind) or {}
    if kind not in _TYPES:
        out.line(2, "<unknown>")
        return
    out.field("Type", _TYPES[kind], 2)
    optional = str(bool(source.get("optional"))).lower()
    fields: dict[str, tuple[tuple[str, Any], ...]] = {
        "emptyDir": (("Medium", source.get("medium", "")), ("SizeLimit", source.get("sizeLimit", "<unset>"))),
        "hostPath": (("Path", source.get("path", "")), ("HostPathType", source.get("type", ""))),
        "secret": (("SecretName", source.get("secretName", "")), ("Optional", optional)),
        "configMap": (("Name", source.get("name", "")), ("Optional", optional)),
        "persistentVolumeClaim": (
            ("ClaimName", source.get("claimName", "")),
            ("ReadOnly", str(bool(source.get("readOnly"))).lower()),
        ),
    }
    for name, value in fields.get(kind, ()):
        out.field(name, value, 2)
    if kind == "projected":
        _projected(out, source.get("sources") or [])
    if kind == "downwardAPI":
        out.line(2, "Items:")
        for item in source.get("items") or []:
            out.line(3, f"{(item.get('fieldRef') or {}).get('fieldPath', '')} -> {item.get('path', '')}")


def _projected(out: Writer, sources: list[Obj]) -> None:
    for source in sources:
        if ref := source.get("secret"):
            out.field("SecretName", ref.get("name", ""), 2)
            out.field("Optional", str(bool(ref.get("optional"))).lower(), 2)
        elif "downwardAPI" in source:
            out.field("DownwardAPI", "true", 2)
        elif ref := source.get("configMap"):
            out.field("ConfigMapName", ref.get("name", ""), 2)
            out.field("Optional", str(bool(ref.get("optional"))).lower(), 2)
        elif ref := source.get("serviceAccountToken"):
            out.field("TokenExpirationSeconds", ref.get("expirationSeconds", ""), 2)


def tolerations(out: Writer, title: str, found: list[Obj] | None) -> None:
    texts = []
    for t in sorted(found or [], key=lambda t: t.get("key", "")):
        text = t.get("key", "")
        text += f"={t['value']}" if t.get("value") else ""
        text += f":{t['effect']}" if t.get("effect") else ""
        if t.get("operator") == "Exists" and not t.get("value"):
            text += " op=Exists" if text else "op=Exists"
        if t.get("tolerationSeconds") is not None:
            text += f" for {t['tolerationSeconds']}s"
        texts.append(text)
    w.multiline(out, title, texts)


def spread(out: Writer, found: list[Obj] | None, indent: str = "") -> None:
    if not found:
        return
    from kubelearn.api import selectors

    texts = []
    for c in sorted(found, key=lambda c: c.get("topologyKey", "")):
        text = f"{c.get('topologyKey', '')}:{c.get('whenUnsatisfiable', '')} when max skew {c.get('maxSkew', '')} is exceeded"
        if c.get("labelSelector"):
            text += f" for selector {selectors.format(c['labelSelector'])}"
        texts.append(text)
    w.multiline(out, f"{indent}Topology Spread Constraints", texts)


def template(out: Writer, found: Obj) -> None:
    """A pod template."""
    meta, spec = found.get("metadata") or {}, found.get("spec") or {}
    out.line(0, "Pod Template:")
    w.labels(out, "  Labels", meta.get("labels"))
    if meta.get("annotations"):
        w.annotation_lines(out, meta["annotations"], "  Annotations")
    if spec.get("serviceAccountName"):
        out.line(0, f"  Service Account:\t{spec['serviceAccountName']}")
    if spec.get("initContainers"):
        containers(out, "Init Containers", spec["initContainers"], None, "  ")
    containers(out, "Containers", spec.get("containers") or [], None, "  ")
    volumes(out, spec.get("volumes") or [], "  ")
    spread(out, spec.get("topologySpreadConstraints"), "  ")
    if spec.get("priorityClassName"):
        out.line(0, f"  Priority Class Name:\t{spec['priorityClassName']}")
    w.labels(out, "  Node-Selectors", spec.get("nodeSelector"))
    tolerations(out, "  Tolerations", spec.get("tolerations"))

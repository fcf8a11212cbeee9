"""What Deployment and ReplicaSet have in common (and the workloads to come)."""

from __future__ import annotations

from kubelearn.api import selectors
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import Errors, forbidden, invalid, required, unsupported
from kubelearn.api.kinds._podspec import validate_template
from kubelearn.api.kinds._selector import label_selector
from kubelearn.api.resource import Obj


def validate_selector(spec: Obj) -> Errors:
    """`spec.selector`: required, valid, and not empty."""
    if not r.has(spec, "selector"):
        return [required("spec.selector")]
    selector = r.mapping(spec, "selector")
    out = label_selector("spec.selector", selector)
    if is_empty(selector):
        # ReplicaSets say "deployment" too.
        out.append(invalid("spec.selector", selector, "empty selector is invalid for deployment"))
    return out


def is_empty(selector: Obj) -> bool:
    return not r.mapping(selector, "matchLabels") and not r.objects(selector, "matchExpressions")


def matches_template(spec: Obj, *, nothing_matches: bool = False) -> Errors:
    """The selector must match the template's labels; with `nothing_matches` an empty one must, too, be there.
    A selector that is none is no error here."""
    raw = spec.get("selector")
    try:
        selector = selectors.from_label_selector(raw if isinstance(raw, dict) else None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    labels = r.string_map(r.mapping(spec, "template", "metadata"), "labels")
    if (selector.empty and not nothing_matches) or selector.matches(labels):
        return []
    text = "`selector` does not match template `labels`"
    return [invalid("spec.template.metadata.labels", labels or None, text)]


def only_always(spec: Obj, kind: str) -> Errors:
    """Pods that are to run for ever: no other restart policy, no deadline."""
    pod = r.mapping(spec, "template", "spec")
    out: Errors = []
    if (policy := r.text(pod, "restartPolicy")) != "Always":
        out.append(unsupported("spec.template.spec.restartPolicy", policy, ("Always",)))
    if r.has(pod, "activeDeadlineSeconds"):
        text = f"activeDeadlineSeconds in {kind} is not Supported"
        out.append(forbidden("spec.template.spec.activeDeadlineSeconds", text))
    return out


def validate_selected_template(spec: Obj, kind: str = "ReplicaSet") -> Errors:
    """`spec.template`, which the selector must match."""
    raw = spec.get("selector")
    try:
        selectors.from_label_selector(raw if isinstance(raw, dict) else None)
    except (ValueError, KeyError, TypeError, AttributeError):
        return [invalid("spec.selector", raw, "invalid label selector")]
    out = matches_template(spec) + validate_template("spec.template", r.mapping(spec, "template"))
    return out + only_always(spec, kind)

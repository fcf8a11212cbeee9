"""What Jobs and the job templates of CronJobs have in common: validation of a JobSpec (batch/validation)."""

from __future__ import annotations

import re

from kubelearn.api import names
from kubelearn.api.kinds import _read as r
from kubelearn.api.kinds._errors import (
    Errors,
    all_invalid,
    duplicate,
    invalid,
    nonnegative,
    required,
    too_long,
    unsupported,
)
from kubelearn.api.kinds._podspec import validate_template
from kubelearn.api.resource import Obj

INDEXED, NON_INDEXED = "Indexed", "NonIndexed"
_COUNTS = ("parallelism", "completions", "activeDeadlineSeconds", "backoffLimit", "ttlSecondsAfterFinished",
           "backoffLimitPerIndex", "maxFailedIndexes")  # fmt: skip
_MAX_INDEXED, _SOFT_COMPLETIONS, _MAX_WITH_MANY = 100_000, 100_000, 10_000
_MAX_MANAGED_BY = 63
_MAX_RULES, _MAX_CODES, _MAX_PATTERNS = 20, 255, 20
_ACTIONS = ("Count", "FailIndex", "FailJob", "Ignore")
_OPERATORS = ("In", "NotIn")
_STATUSES = ("False", "True", "Unknown")
_INDEXES = re.compile(r"[0-9]+(?:-[0-9]+)?(?:,[0-9]+(?:-[0-9]+)?)*")


def is_indexed(spec: Obj) -> bool:
    return r.text(spec, "completionMode") == INDEXED


def validate_job_spec(path: str, spec: Obj) -> Errors:
    """All but the selector, which a job template has not."""
    out: Errors = []
    for key in _COUNTS:
        out += nonnegative(f"{path}.{key}", r.number(spec, key))
    if manager := r.text(spec, "managedBy"):
        out += domain_prefixed_path(f"{path}.managedBy", manager)
        if len(manager) > _MAX_MANAGED_BY:
            out.append(too_long(f"{path}.managedBy", _MAX_MANAGED_BY))
    out += _completion(path, spec)
    if r.has(spec, "podFailurePolicy"):
        out += _failure_policy(f"{path}.podFailurePolicy", spec)
    if r.has(spec, "successPolicy"):
        out += _success_policy(f"{path}.successPolicy", spec)
    out += _replacement(f"{path}.podReplacementPolicy", spec)
    out += validate_template(f"{path}.template", r.mapping(spec, "template"))
    return out + _restart_policy(f"{path}.template.spec.restartPolicy", spec)


def domain_prefixed_path(path: str, value: str) -> Errors:
    """`acme.io/foo`."""
    domain, slash, rest = value.partition("/")
    if not slash or not domain or not rest:
        return [invalid(path, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
    out = all_invalid(path, domain, names.dns1123_subdomain(domain))
    if not re.fullmatch(r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+", rest, re.ASCII):
        text = names.regex_text("Invalid path", r"[A-Za-z0-9/\-._~%!$&'()*+,;=:]+")
        out.append(invalid(path, rest, text))
    return out


def _completion(path: str, spec: Obj) -> Errors:
    out: Errors = []
    mode = r.text(spec, "completionMode")
    completions, parallelism = r.number(spec, "completions"), r.number(spec, "parallelism")
    per_index, failed = r.number(spec, "backoffLimitPerIndex"), r.number(spec, "maxFailedIndexes")
    if r.has(spec, "completionMode") and mode not in (INDEXED, NON_INDEXED):
        out.append(unsupported(f"{path}.completionMode", mode, (INDEXED, NON_INDEXED)))
    if mode == INDEXED:
        if completions is None:
            out.append(required(f"{path}.completions", "when completion mode is Indexed"))
        if parallelism is not None and parallelism > _MAX_INDEXED:
            text = f"must be less than or equal to {_MAX_INDEXED} when completion mode is Indexed"
            out.append(invalid(f"{path}.parallelism", parallelism, text))
        if completions is not None and failed is not None and failed > completions:
            out.append(invalid(f"{path}.maxFailedIndexes", failed, "must be less than or equal to completions"))
        if failed is not None and failed > _MAX_INDEXED:
            out.append(invalid(f"{path}.maxFailedIndexes", failed, f"must be less than or equal to {_MAX_INDEXED}"))
        out += _many_completions(path, spec)
    if mode in ("", NON_INDEXED):
        for key, value in (("backoffLimitPerIndex", per_index), ("maxFailedIndexes", failed)):
            if value is not None:
                out.append(invalid(f"{path}.{key}", value, "requires indexed completion mode"))
    elif failed is not None and per_index is None:
        out.append(required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified"))
    return out


def _many_completions(path: str, spec: Obj) -> Errors:
    """Limits of what an Indexed job keeps per index."""
    if r.count(spec, "completions") <= _SOFT_COMPLETIONS or not r.has(spec, "backoffLimitPerIndex"):
        return []
    when = f"when completions are above {_SOFT_COMPLETIONS} and used with backoff limit per index"
    out: Errors = []
    if not r.has(spec, "maxFailedIndexes"):
        out.append(required(f"{path}.maxFailedIndexes", f"must be specified {when}"))
    for key in ("parallelism", "maxFailedIndexes"):
        value = r.count(spec, key)
        if value > _MAX_WITH_MANY:
            text = f"must be less than or equal to {_MAX_WITH_MANY} {when}"
            out.append(invalid(f"{path}.{key}", value, text))
    return out


def _failure_policy(path: str, spec: Obj) -> Errors:
    rules = r.objects(r.mapping(spec, "podFailurePolicy"), "rules")
    out: Errors = []
    for index, rule in enumerate(rules[:_MAX_RULES]):
        where = f"{path}.rules[{index}]"
        action = r.text(rule, "action")
        if not action:
            out.append(required(f"{where}.action", f"valid values: {list(_ACTIONS)!r}".replace("'", '"')))
        elif action not in _ACTIONS:
            out.append(unsupported(f"{where}.action", action, _ACTIONS))
        elif action == "FailIndex" and not r.has(spec, "backoffLimitPerIndex"):
            out.append(invalid(f"{where}.action", action, "requires the backoffLimitPerIndex to be set"))
        out += _failure_rule(where, rule)
    return out


def _failure_rule(path: str, rule: Obj) -> Errors:
    codes, patterns = r.has(rule, "onExitCodes"), r.objects(rule, "onPodConditions")
    if codes and patterns:
        return [invalid(path, rule, "specifying both OnExitCodes and OnPodConditions is not supported")]
    if not codes and not patterns:
        return [invalid(path, rule, "specifying one of OnExitCodes and OnPodConditions is required")]
    out: Errors = []
    if codes:
        out += _exit_codes(f"{path}.onExitCodes", r.mapping(rule, "onExitCodes"))
    for index, pattern in enumerate(patterns[:_MAX_PATTERNS]):
        where, kind, status = f"{path}.onPodConditions[{index}]", r.text(pattern, "type"), r.text(pattern, "status")
        out += all_invalid(f"{where}.type", kind, names.qualified_name(kind))
        if not status:
            out.append(required(f"{where}.status", 'valid values: ["False" "True" "Unknown"]'))
        elif status not in _STATUSES:
            out.append(unsupported(f"{where}.status", status, _STATUSES))
    return out


def _exit_codes(path: str, found: Obj) -> Errors:
    operator, raw = r.text(found, "operator"), found.get("values")
    values = [v for v in raw if isinstance(v, int)] if isinstance(raw, list) else []
    out: Errors = []
    if not operator:
        out.append(required(f"{path}.operator", 'valid values: ["In" "NotIn"]'))
    elif operator not in _OPERATORS:
        out.append(unsupported(f"{path}.operator", operator, _OPERATORS))
    if not values:
        out.append(invalid(f"{path}.values", values, "at least one value is required"))
    elif len(values) > _MAX_CODES:
        out.append(invalid(f"{path}.values", values, f"must have at most {_MAX_CODES} items"))
    for index, value in enumerate(values):
        where = f"{path}.values[{index}]"
        if operator == "In" and value == 0:
            out.append(invalid(where, value, "must not be 0 for the In operator"))
        if value in values[:index]:
            out.append(duplicate(where, value))
    if values != sorted(values):
        out.append(invalid(f"{path}.values", values, "must be ordered"))
    return out


def _success_policy(path: str, spec: Obj) -> Errors:
    policy = r.mapping(spec, "successPolicy")
    if not is_indexed(spec):
        return [invalid(path, policy, "requires indexed completion mode")]
    rules = r.objects(policy, "rules")
    if not rules:
        return [required(f"{path}.rules", "at least one rules must be specified when the successPolicy is specified")]
    out: Errors = []
    for index, rule in enumerate(rules):
        where, count, indexes = f"{path}.rules[{index}]", r.number(rule, "succeededCount"), rule.get("succeededIndexes")
        if count is None and indexes is None:
            out.append(required(where, "at least one of succeededCount or succeededIndexes must be specified"))
        if isinstance(indexes, str) and not _INDEXES.fullmatch(indexes):
            out.append(invalid(f"{where}.succeededIndexes", indexes, "error parsing succeededIndexes"))
        if count is not None and count < 1:
            out.append(invalid(f"{where}.succeededCount", count, "must be greater than or equal to 1"))
        completions = r.count(spec, "completions")
        if count is not None and count > completions:
            text = f"must be less than or equal to {completions} (the number of specified completions)"
            out.append(invalid(f"{where}.succeededCount", count, text))
    return out


def _replacement(path: str, spec: Obj) -> Errors:
    policy = r.text(spec, "podReplacementPolicy")
    if not r.has(spec, "podReplacementPolicy"):
        return []
    if r.has(spec, "podFailurePolicy"):
        return [] if policy == "Failed" else [unsupported(path, policy, ("Failed",))]
    return [] if policy in ("Failed", "TerminatingOrFailed") else [
        unsupported(path, policy, ("Failed", "TerminatingOrFailed"))
    ]  # fmt: skip


def _restart_policy(path: str, spec: Obj) -> Errors:
    """Always is what the defaults put where nothing was said, so it counts as absent."""
    policy = r.text(r.mapping(spec, "template", "spec"), "restartPolicy")
    if policy in ("", "Always"):
        return [required(path, 'valid values: "OnFailure", "Never"')]
    if policy not in ("OnFailure", "Never"):
        return [unsupported(path, policy, ("OnFailure", "Never"))]
    if r.has(spec, "podFailurePolicy") and policy != "Never":
        return [invalid(path, policy, 'only "Never" is supported when podFailurePolicy is specified')]
    return []


def template_only(path: str, spec: Obj) -> Errors:
    """What the template of a CronJob may not hold."""
    out: Errors = []
    if r.has(spec, "selector"):
        out.append(invalid(f"{path}.selector", spec["selector"], "`selector` will be auto-generated"))
    if r.flag(spec, "manualSelector"):
        out.append(unsupported(f"{path}.manualSelector", True, ("nil", "false")))
    return out

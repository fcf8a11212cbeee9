"""`auth`: who the server takes you for, and what you may do."""

from __future__ import annotations

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.client.discovery import NoMatch
from kubelearn.client.rest import decode, whole
from kubelearn.kubectl import options, resources, rules
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.printers import choose
from kubelearn.kubectl.printers.tabwriter import TabWriter
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb

_KNOWN_VERBS = (
    "get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "use", "bind", "impersonate", "*",
    "approve", "sign", "escalate", "attest",
)  # fmt: skip
_AUTHORIZATION = "/apis/authorization.k8s.io/v1"


async def _post(ctx: Context, path: str, api_version: str, kind: str, spec: Obj | None = None) -> Obj:
    body: Obj = {"apiVersion": api_version, "kind": kind, "metadata": {}} | ({"spec": spec} if spec is not None else {})
    group, plural = path.split("/")[2], path.rpartition("/")[2]
    return decode(await whole(await ctx.client.request("POST", path, body=body, about=f"post {plural}.{group}")))


async def _whoami(ctx: Context, parsed: Parsed) -> int:
    version = "authentication.k8s.io/v1"
    try:
        answer = await _post(ctx, f"/apis/{version}/selfsubjectreviews", version, "SelfSubjectReview")
    except ApiError as error:
        if error.code != 404:
            raise
        raise CommandError("the selfsubjectreviews API is not enabled in the cluster") from error
    if parsed["output"]:
        choose.printer(parsed["output"], parsed["template"], cwd=ctx.cwd)(answer, ctx.out)
        return 0
    user = answer["status"]["userInfo"]
    writer = TabWriter(remember=True)
    writer.write(f"ATTRIBUTE\tVALUE\nUsername\t{user.get('username', '')}\n")
    if user.get("uid"):
        writer.write(f"UID\t{user['uid']}\n")
    if user.get("groups"):
        writer.write(f"Groups\t[{' '.join(user['groups'])}]\n")
    for key, values in sorted((user.get("extra") or {}).items()):
        writer.write(f"Extra: {key}\t[{' '.join(values)}]\n")
    ctx.out(writer.take())
    return 0


async def _can_i(ctx: Context, parsed: Parsed) -> int:
    if parsed["list"]:
        if parsed.args:
            raise CommandError("list option must be specified with no arguments")
        return await _list(ctx, parsed)
    if len(parsed.args) < 2:
        text = "you must specify two arguments: verb resource or verb resource/resourceName."
        raise CommandError(f"{text}\nSee 'kubectl auth can-i -h' for help and examples.")
    verb, what = parsed.args[0], parsed.args[1]
    name = parsed.args[2] if len(parsed.args) > 2 else ""
    spec: Obj
    if what.startswith("/"):
        spec = {"nonResourceAttributes": {"verb": verb, "path": what}}
    else:
        word, _, inline = what.partition("/")
        group, plural = await _resource(ctx, word)
        if verb not in _KNOWN_VERBS:
            ctx.err(f"Warning: verb '{verb}' is not a known verb\n\n")
        namespace = "" if parsed["all-namespaces"] else ctx.namespace
        attributes = {"namespace": namespace, "verb": verb, "group": group, "resource": plural}
        attributes |= {"subresource": parsed["subresource"]} if parsed["subresource"] else {}
        attributes |= {"name": inline or name} if inline or name else {}
        spec = {"resourceAttributes": attributes}
    path = f"{_AUTHORIZATION}/selfsubjectaccessreviews"
    answer = await _post(ctx, path, "authorization.k8s.io/v1", "SelfSubjectAccessReview", spec)
    status = answer.get("status") or {}
    allowed = bool(status.get("allowed"))
    if not parsed["quiet"]:
        why = f" - {status['reason']}" if status.get("reason") and not allowed else ""
        error = f" - {status['evaluationError']}" if status.get("evaluationError") and not allowed else ""
        ctx.out(("yes" if allowed else "no" + why + error) + "\n")
    return 0 if allowed else 1


async def _resource(ctx: Context, word: str) -> tuple[str, str]:
    if word == "*":
        return "*", "*"
    try:
        found = await resources.find(ctx, word)
    except NoMatch:
        ctx.err(f"Warning: the server doesn't have a resource type '{word}'\n\n")
        name, _, group = word.partition(".")
        return group, name
    if not found.namespaced:
        scope = f"resource '{found.plural}' is not namespace scoped"
        ctx.err(f"Warning: {scope}" + (f" in group '{found.group}'" if found.group else "") + "\n\n")
    return found.group, found.plural


async def _list(ctx: Context, parsed: Parsed) -> int:
    path = f"{_AUTHORIZATION}/selfsubjectrulesreviews"
    spec = {"namespace": ctx.namespace}
    answer = await _post(ctx, path, "authorization.k8s.io/v1", "SelfSubjectRulesReview", spec)
    status = answer.get("status") or {}
    writer = TabWriter(remember=True)
    if not parsed["no-headers"]:
        writer.write("Resources\tNon-Resource URLs\tResource Names\tVerbs\n")
    for rule in rules.compact([*(status.get("resourceRules") or []), *(status.get("nonResourceRules") or [])]):
        urls, names, verbs = (" ".join(rule[field]) for field in ("nonResourceURLs", "resourceNames", "verbs"))
        writer.write(f"{rules.resource(rule)}\t[{urls}]\t[{names}]\t[{verbs}]\n")
    ctx.out(writer.take())
    return 0


VERB = Verb(
    name="auth",
    summary="Inspect authorization",
    usage="auth [flags]",
    children=(
        Verb(
            "can-i",
            "Check whether an action is allowed",
            "auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL]",
            "# May I?\nkubectl auth can-i delete pods",
            (
                options.ALL_NAMESPACES,
                Flag("list", kind="bool", help="everything that you may do in the namespace"),
                Flag("quiet", "q", "bool", help="only the exit status"),
                Flag("no-headers", kind="bool", help="no line of headers"),
                Flag("subresource", help="a subresource: log, scale", complete="subresources"),
            ),
            _can_i,
        ),
        Verb(
            "whoami",
            "Experimental: Check self subject attributes",
            "auth whoami",
            "# Who am I?\nkubectl auth whoami",
            options.PRINT,
            _whoami,
        ),
    ),
)

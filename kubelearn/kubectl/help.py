"""Help texts: what `kubectl --help` and `kubectl VERB --help` print, in our own words and kubectl's layout."""

from __future__ import annotations

from kubelearn.kit import discover
from kubelearn.kubectl import flags
from kubelearn.kubectl.verb import Flag, Verb

VERBS = "kubelearn.kubectl.verbs"
OWN = "kubelearn.kubectl.own"

_GROUPS = (
    ("Basic Commands (Beginner)", "create expose run set"),
    ("Basic Commands (Intermediate)", "explain get edit delete"),
    ("Deploy Commands", "rollout scale autoscale"),
    ("Cluster Management Commands", "cluster-info top cordon uncordon drain taint"),
    ("Troubleshooting and Debugging Commands", "describe logs attach exec port-forward auth events"),
    ("Advanced Commands", "diff apply patch replace wait kustomize"),
    ("Settings Commands", "label annotate"),
    ("Other Commands", "api-resources api-versions config options plugin version"),
)


def verb_names() -> list[str]:
    return discover.names(VERBS)


def own_names() -> list[str]:
    return [name.rstrip("-") for name in discover.names(OWN)]


def load(name: str) -> Verb | None:
    """The verb of that name; None if there is none. Imports this one only."""
    if name in verb_names():
        return discover.load(VERBS, name, "VERB", Verb)
    if name in own_names():
        module = name if name in discover.names(OWN) else name + "-"
        return discover.load(OWN, module, "VERB", Verb)
    return None


def overview() -> str:
    """All commands by group."""
    lines = ["kubectl controls the Kubernetes cluster manager; this one is kubelearn's.", ""]
    known, listed = set(verb_names()), set[str]()
    for title, words in _GROUPS:
        names = [n for n in words.split() if n in known]
        listed.update(names)
        lines += _commands(title, names)
    lines += _commands("More Commands", sorted(known - listed - {"help"}))
    lines += _commands("The Glass Box (kubelearn only)", own_names())
    lines += ["Usage:", "  kubectl [flags] [options]", ""]
    lines += ['Use "kubectl <command> --help" for more information about a given command.']
    lines += ['Use "kubectl options" for a list of global command-line options (applies to all commands).', ""]
    return "\n".join(lines)


def _commands(title: str, names: list[str]) -> list[str]:
    rows = [(n, v.summary) for n in names if (v := load(n)) is not None]
    return [f"{title}:", *_rows(rows), ""] if rows else []


def _rows(rows: list[tuple[str, str]]) -> list[str]:
    width = max([len(name) for name, _ in rows] + [13]) + 3
    return [f"  {name.ljust(width - 0)}{text}" for name, text in rows]


def of_verb(path: str, verb: Verb) -> str:
    """`path` is the words that lead to the verb: `rollout status`."""
    lines = [verb.summary if verb.summary.endswith(".") else verb.summary + ".", ""]
    if verb.about:
        lines += [verb.about.strip("\n"), ""]
    if verb.aliases:
        lines += ["Aliases:", ", ".join([verb.name, *verb.aliases]), ""]
    if verb.examples:
        lines += ["Examples:", *(f"  {line}" if line else "" for line in verb.examples.strip().splitlines()), ""]
    if verb.children:
        lines += ["Available Commands:", *_rows(sorted((c.name, c.summary) for c in verb.children)), ""]
    own = sorted(verb.flags, key=lambda f: f.name)
    if own:
        lines += ["Options:", *_flags(own)]
    lines += ["Usage:", f"  kubectl {verb.usage} [options]", ""]
    if verb.children:
        lines.append(f'Use "kubectl {path} <command> --help" for more information about a given command.')
    lines += ['Use "kubectl options" for a list of global command-line options (applies to all commands).', ""]
    return "\n".join(lines)


def _flags(found: list[Flag]) -> list[str]:
    lines: list[str] = []
    for flag in found:
        short = f"-{flag.short}, " if flag.short else ""
        lines += [f"    {short}--{flag.name}={_shown(flag)}:", f"\t{flag.help}", ""]
    return lines


def _shown(flag: Flag) -> str:
    if flag.kind in ("strings", "array"):
        return "[]"
    if flag.kind == "bool":
        return "true" if flag.default else "false"
    if flag.kind == "duration":
        return f"{flag.default or 0:g}s"
    return str(flag.default or 0) if flag.kind == "int" else f"'{flag.default or ''}'"


def options() -> str:
    lines = ["The following options can be passed to any command:", ""]
    return "\n".join(lines + _flags(sorted(flags.GLOBAL, key=lambda f: f.name)))


def suggestions(name: str) -> list[str]:
    """Commands spelled almost like `name` (two letters wrong at most), as cobra suggests them."""
    order = [word for _, words in _GROUPS for word in words.split()]
    known = sorted([*verb_names(), *own_names()], key=lambda k: (order.index(k) if k in order else len(order), k))
    return [k for k in known if _distance(name.lower(), k) <= 2 or k.startswith(name.lower())]


def _distance(a: str, b: str) -> int:
    """Levenshtein's."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (x != y))
    return row[-1]

"""Flags and verbs: pflag's and cobra's messages, suggestions and exit statuses; a line never ends in a traceback."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubelearn.kubectl import flags, run
from kubelearn.kubectl.failures import CommandError, report
from kubelearn.kubectl.verb import Flag

FLAGS = (
    Flag("output", "o"),
    Flag("all", kind="bool"),
    Flag("tail", kind="int", default=-1),
    Flag("timeout", kind="duration"),
    Flag("from", kind="strings"),
    Flag("literal", kind="array"),
    Flag("dry-run", default="none", default_no_value="unchanged"),
)


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("-ojson", "output", "json"),
        ("-o=json", "output", "json"),
        ("-o json", "output", "json"),
        ("--output=a=b", "output", "a=b"),
        ("--all", "all", True),
        ("--all=false", "all", False),
        ("--tail -3", "tail", -3),
        ("--timeout 1m30s", "timeout", 90.0),
        ("--from a,b --from c", "from", ["a", "b", "c"]),
        ("--literal a,b --literal c", "literal", ["a,b", "c"]),
        ("--dry-run x", "dry-run", "unchanged"),
        ("--dry-run=server", "dry-run", "server"),
    ],
)
def test_values(line: str, name: str, value: object) -> None:
    assert flags.parse("get", FLAGS, line.split())[name] == value


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--nosuch", "unknown flag: --nosuch"),
        ("-Z", "unknown shorthand flag: 'Z' in -Z"),
        ("-oo -Z", "unknown shorthand flag: 'Z' in -Z"),
        ("--output", "flag needs an argument: --output"),
        ("-o", "flag needs an argument: 'o' in -o"),
        ("--=x", "bad flag syntax: --=x"),
        ("--tail=x", 'invalid argument "x" for "--tail" flag: strconv.ParseInt: parsing "x": invalid syntax'),
        ("--all=x", 'invalid argument "x" for "--all" flag: strconv.ParseBool: parsing "x": invalid syntax'),
        ("--timeout=5", 'invalid argument "5" for "--timeout" flag: time: missing unit in duration "5"'),
        ("--timeout=5y", 'invalid argument "5y" for "--timeout" flag: time: unknown unit "y" in duration "5y"'),
    ],
)
def test_messages(line: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        flags.parse("get", FLAGS, line.split())
    text, status = report(caught.value)
    assert text == f"error: {message}\nSee 'kubectl get --help' for usage.\n"
    assert status == 1


def test_what_follows_the_dashes_is_left_alone() -> None:
    parsed = flags.parse("exec", FLAGS, ["web", "--", "ls", "-Z", "--nosuch"])
    assert (parsed.args, parsed.after_dashes) == (["web"], ["ls", "-Z", "--nosuch"])


def test_an_unknown_verb_is_answered_with_those_like_it() -> None:
    with pytest.raises(CommandError) as caught:
        run.find(["gett", "pods"])
    assert report(caught.value)[0] == (
        'error: unknown command "gett" for "kubectl"\n\nDid you mean this?\n\tset\n\tget\n'
    )


def test_a_verb_like_no_other_is_answered_alone() -> None:
    with pytest.raises(CommandError) as caught:
        run.find(["zzzzzzzz"])
    assert report(caught.value)[0] == 'error: unknown command "zzzzzzzz" for "kubectl"\n'


_WORDS = st.sampled_from(
    ["-", "--", "-o", "-ojson", "--all", "--all=", "--tail", "x", "--timeout=", "1h", "=", "-oa=", "--x"]
)


@given(st.lists(_WORDS | st.text(max_size=6), max_size=6))
def test_no_line_ends_in_a_traceback(words: list[str]) -> None:
    try:
        known = set(flags.parse("get", FLAGS, words).flags)
    except CommandError as error:
        known = {flag.name for flag in FLAGS} if error.message else set()
    assert known >= {flag.name for flag in FLAGS}


@given(st.text(alphabet="0123456789.hmsuµn+-y", max_size=8))
def test_a_duration_is_seconds_or_gos_complaint(text: str) -> None:
    try:
        answer = f"time: {flags.duration(text)}"
    except ValueError as error:
        answer = str(error)
    assert answer.startswith("time: ")

"""A lesson small enough to be wrong in one place at a time: it makes a ConfigMap, which needs no kubelet."""

from __future__ import annotations

from pathlib import Path

from kubelearn.lessons import prose

LESSON = """\
format_version: 1
id: small
order: 1
concepts: [configuration]
minutes: 5
needs: {nodes: 1, engines: [docker, process]}
start:
  - kubectl create configmap other --from-literal=a=0
teardown:
  - kubectl delete configmap c other --ignore-not-found
steps:
  - id: make
    checks:
      - quiz: {question: make, answer: 2}
      - resource: {kind: configmap, name: c, path: .data.a, equals: "1"}
    solution:
      - kubectl create configmap c --from-literal=a=1
    alternatives:
      - ["kubectl apply -f c.yaml"]
    wrong:
      - commands: ["kubectl create configmap c --from-literal=a=2"]
        message: "configmap c .data.a = 2, wanted 1"
  - id: look
    checks:
      - command_used: {matches: 'get (cm|configmap)', example: kubectl get configmaps}
    solution:
      - kubectl get configmaps
"""
EN = """\
# A small lesson

It is small.

## make: Make it

### predict
What is it?
- ( ) large — it is not
- (x) small — it is

### task
Make it: `kubectl create configmap c --from-literal=a=1`

### hints
1. The verb is create.
2. Type: `kubectl create configmap c --from-literal=a=1`

### debrief
It was small.

## look: Look at it

### task
Look: `kubectl get configmaps`

### hints
1. The verb is get.
"""
ZH = """\
# 小课

它很小。

## make: 做

### predict
它是什么？
- ( ) 大 — 不是
- (x) 小 — 是的

### task
做：`kubectl create configmap c --from-literal=a=1`

### hints
1. 动词是 create。
2. 输入：`kubectl create configmap c --from-literal=a=1`

### debrief
它确实小。

## look: 看

### task
看：`kubectl get configmaps`

### hints
1. 动词是 get。
"""
FILE = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {a: '1'}\n"


def changed(text: str, old: str, new: str) -> str:
    """`text` with one place changed; the place must be there."""
    assert old in text, old
    return text.replace(old, new)


def write(
    root: Path, lesson: str = LESSON, en: str = EN, zh: str = ZH, *, name: str = "small", stamped: bool = True
) -> Path:
    """The folder of a lesson; the translation bears the stamp of the English text it goes with."""
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "lesson.yaml").write_text(lesson, encoding="utf-8")
    (folder / "c.yaml").write_text(FILE, encoding="utf-8")
    (folder / "en.md").write_text(en, encoding="utf-8")
    stamp = prose.stamp(prose.parse(en, "en.md").digest) if stamped else ""
    (folder / "zh.md").write_text(f"{zh}\n{stamp}\n", encoding="utf-8")
    return folder

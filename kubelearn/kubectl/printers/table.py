"""The server's Table as text, and what kubectl adds to it: namespaces, kinds, labels, event types.

Source: k8s.io/cli-runtime/pkg/printers/tableprinter.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from kubelearn.api.resource import Obj
from kubelearn.kubectl.printers.tabwriter import TabWriter

_EVENTS = {"ADDED": "ADDED", "MODIFIED": "MODIFIED", "DELETED": "DELETED", "BOOKMARK": "BOOKMARK", "ERROR": "ERROR"}


@dataclass(slots=True)
class TablePrinter:
    """Prints Tables into one writer; headers once as long as the columns stay the same."""

    wide: bool = False
    headers: bool = True
    with_namespace: bool = False
    prefix: str = ""
    label_columns: Sequence[str] = ()
    show_labels: bool = False
    _last: list[Obj] = field(default_factory=list)
    _printed: bool = False

    def print(self, table: Obj, out: TabWriter, event: str = "") -> None:
        columns: list[Obj] = table.get("columnDefinitions") or []
        rows: list[Obj] = table.get("rows") or []
        headers = self.headers
        if self._printed and (not columns or columns == self._last):
            headers = False
        if not columns:
            columns = self._last
        elif columns != self._last:
            self._last, self._printed = columns, False
        if not rows:
            return
        self._printed = True
        shown = [i for i, c in enumerate(columns) if self.wide or not c.get("priority")]
        if headers:
            out.write("\t".join(self._header(columns, shown, event)) + "\n")
        for row in rows:
            out.write("\t".join(self._row(row, columns, shown, event)) + "\n")

    def _header(self, columns: list[Obj], shown: list[int], event: str) -> list[str]:
        names = [str(columns[i]["name"]).upper() for i in shown]
        before = (["EVENT"] if event else []) + (["NAMESPACE"] if self.with_namespace else [])
        after = [_label_header(label) for label in self.label_columns] + (["LABELS"] if self.show_labels else [])
        return before + names + after

    def _row(self, row: Obj, columns: list[Obj], shown: list[int], event: str) -> list[str]:
        meta: Obj = (row.get("object") or {}).get("metadata") or {}
        values = row["cells"]
        cells = [_cell(values[i]) if i < len(values) else "" for i in shown]
        if self.prefix:
            at = next((n for n, i in enumerate(shown) if columns[i].get("format") == "name"), 0)
            cells[at] = f"{self.prefix}/{cells[at]}"
        before = ([_EVENTS.get(event, event)] if event else []) + (
            [meta.get("namespace", "")] if self.with_namespace else []
        )
        labels = meta.get("labels") or {}
        after = [labels.get(label, "") for label in self.label_columns]
        if self.show_labels:
            after.append(",".join(f"{k}={v}" for k, v in sorted(labels.items())) or "<none>")
        return before + cells + after


def _label_header(label: str) -> str:
    return label.rsplit("/", 1)[-1].upper()


def _cell(value: Any) -> str:
    """One line of text: what would break the table is cut off or shown escaped."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    for at, char in enumerate(value):
        if char in "\f\n\r":
            return escape(value[:at]) + "..."
    return escape(value)


def escape(text: str) -> str:
    """Control sequences of a terminal, made harmless."""
    return text.replace("\x1b", "^[").replace("\r", "\\r") if "\x1b" in text or "\r" in text else text

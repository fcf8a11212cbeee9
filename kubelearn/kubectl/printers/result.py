"""What a command that changes something prints of each object: `pod/web created`, or the object with -o."""

from __future__ import annotations

from kubelearn.api.resource import Obj
from kubelearn.kubectl import options
from kubelearn.kubectl.printers import choose
from kubelearn.kubectl.verb import Context, Parsed


class Results:
    """Prints results in the way the flags ask for. Raises CommandError for an unknown format."""

    def __init__(self, ctx: Context, parsed: Parsed, dry: str = "none") -> None:
        self._ctx = ctx
        self._dry = dry
        self._managed = bool(parsed.flags.get("show-managed-fields"))
        output = parsed.flags.get("output") or ""
        self.prints_objects = output not in ("", "name")
        self._names_only = output == "name"
        self._print = None
        if self.prints_objects:
            self._print = choose.printer(
                output, parsed.flags.get("template") or "", cwd=ctx.cwd, allowed=choose.ALLOWED_RESULTS
            )

    def show(self, obj: Obj, operation: str) -> None:
        """`operation` is what was done: created, scaled."""
        if self._print is not None:
            self._print(obj if self._managed else choose.without_managed_fields(obj), self._ctx.out)
        elif self._names_only:
            self._ctx.out(f"{choose.name_of(obj)}\n")
        else:
            self._ctx.out(f"{choose.name_of(obj)} {operation}{options.dry_suffix(self._dry)}\n")

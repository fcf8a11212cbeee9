"""The error a person reads: what happened, and what to do next.

API errors are `kubelearn.api.errors.ApiError`; everything else that ends a command is one of these.
"""


class KubelearnError(Exception):
    """`message` says what happened in one line, `hint` what to do next; `exit_code` is the process's."""

    def __init__(self, message: str, hint: str = "", exit_code: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.exit_code = exit_code

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

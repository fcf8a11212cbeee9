"""For all tests: pytest's async plugins ask for the main thread's event loop between tests and, if there is none,
make one that nobody closes, which "warnings are errors" turns into a failure of whichever test runs next. So there
is one, and it is closed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _loop_between_tests() -> Iterator[None]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    loop.close()

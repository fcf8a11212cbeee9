"""Wait on the server's word that objects are gone, or are as wanted: watches, never polling."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence

from kubelearn.api.errors import ApiError
from kubelearn.api.resource import Obj
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.resources import Target
from kubelearn.kubectl.verb import Context

#: Says whether an object (None: it does not exist) is as wanted.
Wanted = Callable[[Obj | None], bool]


async def until(ctx: Context, target: Target, wanted: Wanted) -> Obj | None:
    """The object once it is as wanted. Raises ApiError; never gives up by itself."""
    selector = f"metadata.name={target.name}"
    while True:
        answer = await ctx.client.list(target.resource, target.namespace, field_selector=selector)
        obj = next(iter(answer["items"]), None)
        if wanted(obj):
            return obj
        version = answer["metadata"].get("resourceVersion", "")
        watch = ctx.client.watch(target.resource, target.namespace, resource_version=version, field_selector=selector)
        try:
            async with contextlib.aclosing(watch) as events:
                async for event in events:
                    obj = None if event.type == "DELETED" else event.object
                    if event.type != "BOOKMARK" and wanted(obj):
                        return obj
        except ApiError as error:
            if error.code != 410:
                raise


async def until_gone(ctx: Context, gone: Sequence[tuple[Target, str]], seconds: float) -> None:
    """Until none of the objects exists with that uid any more. Raises CommandError on a timeout (0: none)."""
    for target, uid in gone:
        try:
            async with asyncio.timeout(seconds or None):
                await until(ctx, target, _gone(uid))
        except TimeoutError:
            raise CommandError(
                f"timed out waiting for the condition on {target.resource.plural}/{target.name}"
            ) from None


def _gone(uid: str) -> Wanted:
    return lambda obj: obj is None or (bool(uid) and obj["metadata"].get("uid") != uid)

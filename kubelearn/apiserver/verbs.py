"""The verbs on objects and collections: from a Call to its Response."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from kubelearn.api import errors
from kubelearn.api.kind import Kind
from kubelearn.api.resource import Obj
from kubelearn.api.table import partial_metadata
from kubelearn.apiserver import (
    applying,
    bodies,
    codec,
    deletion,
    listing,
    listversions,
    patching,
    rest,
    shapes,
    watching,
)
from kubelearn.apiserver.answers import JSON, json_response, object_response
from kubelearn.apiserver.call import Call
from kubelearn.apiserver.reviews._base import Review
from kubelearn.apiserver.routing import Route
from kubelearn.client.transport import Response
from kubelearn.store.interface import KeyValue


async def _get(call: Call, kind: Kind, route: Route) -> Response:
    listversions.not_older(call.server, listversions.revision(call.request))
    return object_response(call, kind, await rest.read(call.server, kind, route.namespace, route.name))


async def _list(call: Call, kind: Kind, route: Route) -> Response:
    form = shapes.wanted(call.request)
    items, about = await listing.list_objects(call.server, call.request, kind, route.namespace, call.actor)
    if not form:
        return Response(200, JSON, await listing.list_body(kind, items, about))
    if form == "Table":
        return json_response(await _table(call, kind, items, about))
    found: list[Obj] = []
    async for batch in listing.batches(items):
        found += [partial_metadata(codec.decode(kv)) for kv in batch]
    return json_response(
        {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": about, "items": found}
    )


async def _table(call: Call, kind: Kind, items: list[KeyValue], about: Obj) -> Obj:
    whole = shapes.as_table(call.request, kind, [], about)
    async for batch in listing.batches(items):
        objs = [codec.decode(kv) for kv in batch]
        whole["rows"] += shapes.as_table(call.request, kind, objs, about, first=False)["rows"]
    return whole


async def _watch(call: Call, kind: Kind, route: Route) -> Response:
    shape = shapes.watch_shape(call.request, kind)
    return await watching.watch(call, kind, route.namespace, route.name, shape)


async def _create(call: Call, kind: Kind, route: Route) -> Response:
    if kind.resource.namespaced and not route.namespace:
        raise errors.method_not_allowed()
    review = call.server.registry.reviews.get((route.group, route.version, route.plural))
    if review is not None:
        return await _review(call, review, route.namespace)
    return object_response(call, kind, await rest.create(call, kind, route.namespace), 201)


async def _review(call: Call, review: Review, namespace: str) -> Response:
    decoded = bodies.decode(call.request, review.kind)
    call.warn(decoded.warnings)
    obj = decoded.obj
    if namespace:
        obj["metadata"].setdefault("namespace", namespace)
    return json_response({**obj, "status": await review.answer(call, obj)}, 201)


async def _update(call: Call, kind: Kind, route: Route) -> Response:
    kv, created = await rest.update(call, kind, route.namespace, route.name, route.subresource)
    return object_response(call, kind, kv, 201 if created else 200)


async def _patch(call: Call, kind: Kind, route: Route) -> Response:
    where = route.namespace, route.name, route.subresource
    if bodies.media_type(call.request) == patching.APPLY:
        kv, created = await applying.patch(call, kind, *where)
        return object_response(call, kind, kv, 201 if created else 200)
    return object_response(call, kind, await rest.patch(call, kind, *where))


async def _delete(call: Call, kind: Kind, route: Route) -> Response:
    kv, gone = await deletion.delete(call, kind, route.namespace, route.name, deletion.options(call))
    if gone and kind.resource.plural not in ("pods", "services", "serviceaccounts"):
        return json_response(deletion.success(kind, kv))
    return object_response(call, kind, kv)


async def _delete_collection(call: Call, kind: Kind, route: Route) -> Response:
    items = await deletion.collection(call, kind, route.namespace)
    about = {"resourceVersion": str(call.server.store.revision)}
    return Response(200, JSON, await listing.list_body(kind, items, about))


VERBS: dict[str, Callable[[Call, Kind, Route], Awaitable[Response]]] = {
    "get": _get,
    "list": _list,
    "watch": _watch,
    "create": _create,
    "update": _update,
    "patch": _patch,
    "delete": _delete,
    "deletecollection": _delete_collection,
}

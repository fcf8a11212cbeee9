"""An HTTP answer as seen from inside the cluster.

`http: {url: "http://web:80/", from: client, status: 200, body: "Hello", times: 8, distinct: 2}` asks the pod `from` (a
kubelearn/web pod) to fetch the URL, over the pod network and the cluster DNS; `distinct` wants that many different
pods among the answers. Without `from` the API server's proxy is asked: `url: services/web:80/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from kubelearn.api.errors import ApiError
from kubelearn.lessons.check_type import CheckContext, CheckType, Result

_SERVED_BY = re.compile(r"pod ([a-z0-9.-]+)")


async def _run(context: CheckContext, params: Mapping[str, Any]) -> Result:
    wanted_status, body = int(params.get("status", 200)), str(params.get("body", ""))
    pods: set[str] = set()
    for _ in range(int(params.get("times", 1))):
        status, text = await _fetch(context, params)
        if status != wanted_status or not re.search(body, text):
            first = text.strip().splitlines()[0][:80] if text.strip() else "nothing"
            return Result(False, f"HTTP {status}: {first}", f"HTTP {wanted_status}" + (f", {body}" if body else ""))
        pods.update(_SERVED_BY.findall(text))
    if "distinct" not in params:
        return Result(True, f"HTTP {wanted_status} from {params['url']}", f"HTTP {wanted_status}")
    distinct = int(params["distinct"])
    return Result(len(pods) >= distinct, f"{len(pods)} pods answered", f"{distinct} pods answering")


async def _fetch(context: CheckContext, params: Mapping[str, Any]) -> tuple[int, str]:
    root = f"/api/v1/namespaces/{params.get('namespace', context.namespace)}"
    if "from" in params:
        path = f"{root}/pods/{params['from']}:{params.get('port', 8080)}/proxy/fetch"
        query = [("url", str(params["url"]))]
    else:
        kind, _, rest = str(params["url"]).partition("/")
        name, _, tail = rest.partition("/")
        path, query = f"{root}/{kind}/{quote(name, safe=':')}/proxy/{tail}", []
    try:
        answer = await context.client.request("GET", path, query=query)
    except ApiError as error:
        return error.code, error.message
    return answer.status, answer.body.decode(errors="replace")


def _also(params: Mapping[str, Any]) -> list[str]:
    url = str(params["url"])
    if "from" in params:
        return [] if url.startswith(("http://", "https://")) else ["url must begin with http:// for a pod to fetch it"]
    if not url.startswith(("services/", "pods/")):
        return ["url must begin with services/ or pods/ without `from`: the API server's proxy is asked"]
    return []


CHECK = CheckType(
    frozenset({"url"}),
    frozenset({"from", "port", "status", "body", "times", "distinct", "namespace"}),
    _run,
    patterns=frozenset({"body"}),
    numbers=frozenset({"port", "status", "times", "distinct"}),
    also=_also,
)

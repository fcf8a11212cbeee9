"""Each group version that is served has its APIService, the core's and the metrics API's too."""

from __future__ import annotations

from support.plane import Plane

from kubelearn.api.kinds import apiservice


async def test_every_group_version_is_registered_and_available(plane: Plane) -> None:
    async def available() -> bool:
        found = (await plane.admin.list(apiservice.RESOURCE))["items"]
        good = {s["metadata"]["name"] for s in found if (s.get("status") or {}).get("conditions")}
        return {"v1.", "v1.apps", "v2.autoscaling", "v1beta1.metrics.k8s.io"} <= good

    await plane.until(available)
    core = await plane.admin.get(apiservice.RESOURCE, "v1.")
    assert core["status"]["conditions"][0]["reason"] == "Local"

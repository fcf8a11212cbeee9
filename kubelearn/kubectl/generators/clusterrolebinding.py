"""`create clusterrolebinding`."""

from __future__ import annotations

from kubelearn.kubectl import creating
from kubelearn.kubectl.flags import require
from kubelearn.kubectl.generators import _rbac
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    require(parsed, "clusterrole")
    name = creating.one_name(parsed, "create clusterrolebinding")
    obj = _rbac.binding("ClusterRoleBinding", name, "ClusterRole", parsed["clusterrole"], parsed)
    await creating.make(ctx, parsed, obj, namespaced=False, what="clusterrolebinding:")
    return 0


VERB = Verb(
    name="clusterrolebinding",
    summary="Create a cluster role binding for a particular cluster role",
    usage="create clusterrolebinding NAME --clusterrole=NAME [--user=username] [--group=groupname] "
    "[--serviceaccount=namespace:serviceaccountname]",
    examples="# Let ann do everything\nkubectl create clusterrolebinding ann --clusterrole=cluster-admin --user=ann",
    flags=(*creating.flags(), Flag("clusterrole", help="the cluster role"), *_rbac.SUBJECTS),
    run=run,
)

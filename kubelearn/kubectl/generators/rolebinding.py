"""`create rolebinding`."""

from __future__ import annotations

from kubelearn.kubectl import creating
from kubelearn.kubectl.failures import CommandError
from kubelearn.kubectl.generators import _rbac
from kubelearn.kubectl.verb import Context, Flag, Parsed, Verb


async def run(ctx: Context, parsed: Parsed) -> int:
    name = creating.one_name(parsed, "create rolebinding")
    role, cluster_role = parsed["role"], parsed["clusterrole"]
    if bool(role) == bool(cluster_role):
        raise CommandError("exactly one of clusterrole or role must be specified")
    kind = "Role" if role else "ClusterRole"
    obj = _rbac.binding("RoleBinding", name, kind, role or cluster_role, parsed)
    await creating.make(ctx, parsed, obj, what="rolebinding:")
    return 0


VERB = Verb(
    name="rolebinding",
    summary="Create a role binding for a particular role or cluster role",
    usage="create rolebinding NAME --clusterrole=NAME|--role=NAME [--user=username] [--group=groupname] "
    "[--serviceaccount=namespace:serviceaccountname]",
    examples="# Let a program read\nkubectl create rolebinding read --role=reader --serviceaccount=default:robot",
    flags=(
        *creating.flags(),
        Flag("role", help="the role, of this namespace"),
        Flag("clusterrole", help="the cluster role"),
        *_rbac.SUBJECTS,
    ),
    run=run,
)

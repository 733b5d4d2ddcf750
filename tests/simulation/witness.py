"""Sees every single write to the API server, and notes what may never be, however short it was."""

from typing import Any, Final

from bankstack.engine.objects import CONFIG_MAP, OWNER_LABEL, SECRET, Manifest, uid
from bankstack.kinds.apideployment.names import LEDGER_CLUSTER

from .apiserver import ApiServer, Event, Key

API: Final = "ApiDeployment."
#: What the bank's programs are rolled for, besides their resource itself.
READ: Final = (
    (SECRET, "ledger-api"),
    (SECRET, "bank-redis-api"),
    (SECRET, "lnd1-api"),
    (SECRET, "lnd2-api"),
    (CONFIG_MAP, "ledger-ca"),
)


class Witness:
    """`wrongs` has what was seen and must not have been."""

    def __init__(self, server: ApiServer) -> None:
        self._server = server
        self.wrongs: list[str] = []
        self._migrated: set[tuple[str, str]] = set()
        self._causes: dict[str, Any] = {}

    def see(self, event: Event) -> None:
        if not event.manifest["metadata"].get("labels", {}).get(OWNER_LABEL, "").startswith(API):
            return
        match event.key.type.kind, event.type:
            case "Pod", "ADDED":
                self._one_of_its_kind(event)
            case "Job", "ADDED":
                self._once_per_revision(event)
            case (("Deployment" | "StatefulSet" | "CronJob"), ("ADDED" | "MODIFIED")):
                self._rolled_for_a_reason(event)

    def _one_of_its_kind(self, event: Event) -> None:
        """Two triggers would do everything twice; two migrations at once are worse."""
        labels = event.manifest["metadata"]["labels"]
        name = labels["app.kubernetes.io/name"]
        alike = [
            one
            for one in self._server.owned_by(event.key.type, labels[OWNER_LABEL]).values()
            if one.manifest["metadata"]["labels"].get("app.kubernetes.io/name") == name
            and one.manifest.get("status", {}).get("phase") not in ("Succeeded", "Failed")
        ]
        if len(alike) > 1 and name in self._alone(event.key.namespace, labels[OWNER_LABEL]):
            self.wrongs.append(f"{len(alike)} pods of {name} at once")

    def _alone(self, namespace: str, owner: str) -> set[str]:
        api = self._resource(namespace, owner)
        some = api["spec"]["components"] if api else ()
        return {one["name"] for one in some if one.get("singleton") or one.get("job")}

    def _once_per_revision(self, event: Event) -> None:
        life = event.key.name, event.manifest["metadata"]["ownerReferences"][0]["uid"]
        if life in self._migrated:
            self.wrongs.append(f"{event.key} runs a second time for one revision")
        self._migrated.add(life)

    def _rolled_for_a_reason(self, event: Event) -> None:
        before = event.before["spec"] if event.before else None
        if before is not None and _template(before) == _template(event.manifest["spec"]):
            return
        causes = self._reasons(event)
        if before is not None and self._causes[str(event.key)] == causes:
            self.wrongs.append(f"{event.key} is rolled without cause")
        self._causes[str(event.key)] = causes

    def _reasons(self, event: Event) -> list[Any]:
        namespace = event.key.namespace
        api = self._resource(namespace, event.manifest["metadata"]["labels"][OWNER_LABEL])
        read = (self._server.objects.get(Key(of, namespace, name)) for of, name in READ)
        versions = [one and (uid(one.manifest), one.manifest["metadata"]["resourceVersion"]) for one in read]
        ledger = self._server.objects.get(Key(LEDGER_CLUSTER, namespace, "ledger"))
        where = ledger.manifest.get("status", {}).get("endpoint") if ledger else None
        return [api and (uid(api), api["spec"]), where, versions]

    def _resource(self, namespace: str, owner: str) -> Manifest | None:
        found = (key for key in self._server.all(owner.partition(".")[0]) if key.namespace == namespace)
        return next((self._server.objects[key].manifest for key in found if f"{API}{key.name}" == owner), None)


def _template(spec: Manifest) -> Manifest:
    job: Manifest = spec.get("jobTemplate", {}).get("spec", spec)
    return dict(job["template"])

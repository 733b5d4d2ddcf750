"""The bank's own programs as manifests (pure): one function for each way in which a program runs."""

import json
from typing import Any, Final

from bankstack.engine import access, manifests
from bankstack.engine.objects import (
    DEPLOYMENT,
    OWNER_LABEL,
    POD,
    STATEFUL_SET,
    Manifest,
    Ref,
    annotated,
    annotation,
    canonical,
    digest,
)
from bankstack.kinds.apideployment import environment, names
from bankstack.kinds.apideployment.component import Component, Probe, Volume
from bankstack.kinds.apideployment.facts import Facts
from bankstack.kinds.apideployment.names import Api

#: On a StatefulSet of a component: the volumes that its pods were first made with, which can never change.
CLAIMS: Final = "bankstack.io/claims"
#: A migration is tried again before a person is called.
JOB_RETRIES: Final = 3
#: Phases of a pod that runs no more.
ENDED: Final = ("Succeeded", "Failed")
#: What a component may connect to is decided by these labels of its pods.
CLIENT_OF: Final = (access.LND_CLIENT, access.LEDGER_CLIENT, access.REDIS_CLIENT)


def is_stateful(component: Component) -> bool:
    """Whether its pods have volumes of their own."""
    return any(one.size for one in component.volumes or [])


def runs_and_ends(component: Component) -> bool:
    """Whether it is a Job or a CronJob."""
    return component.job or component.schedule is not None


def replicas(component: Component) -> int:
    """Pods that should run."""
    return 1 if component.replicas is None else component.replicas


def workload(api: Api, component: Component) -> Ref:
    """What keeps its pods."""
    return Ref(STATEFUL_SET if is_stateful(component) else DEPLOYMENT, names.component(api, component.name))


def pods(api: Api, component: Component, facts: Facts) -> list[Manifest]:
    """Its pods, whatever keeps them."""
    labels = {"app.kubernetes.io/name": component.name, OWNER_LABEL: api.owner}
    return [
        one
        for ref, one in sorted(facts.children.items())
        if ref.type == POD and labels.items() <= one["metadata"].get("labels", {}).items()
    ]


def is_still_there(api: Api, component: Component, facts: Facts) -> bool:
    """Whether a singleton that is to be made, anew or in another way, still runs: a second would do it all twice."""
    if not component.singleton or workload(api, component) in facts.children:
        return False
    keepers = (Ref(of, names.component(api, component.name)) for of in (DEPLOYMENT, STATEFUL_SET))
    running = (one for one in pods(api, component, facts) if one.get("status", {}).get("phase") not in ENDED)
    return any(one in facts.children for one in keepers) or any(running)


def revision(api: Api) -> str:
    """Changes whenever a migration may be needed: with any image, and with a migration's own fields."""
    images = {one.name: one.image for one in api.spec.components}
    jobs = [one.model_dump(by_alias=True, exclude_none=True) for one in api.spec.components if one.job]
    return digest([images, jobs])


def migration(api: Api, component: Component, facts: Facts, of: str) -> Manifest:
    """Its run for one revision. The name says which, so that it is never run twice."""
    template = _template(api, component, facts, None)
    template["spec"]["restartPolicy"] = "Never"
    name = names.job(api, component.name, of).name
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": manifests.owned(api, component.name, name, generation=str(api.generation)),
        "spec": {"backoffLimit": JOB_RETRIES, "template": template},
    }


def running(api: Api, component: Component, facts: Facts) -> list[Manifest]:
    """Everything of a component that stays or comes back."""
    if component.schedule is not None:
        return [_cron_job(api, component, facts)]
    found = [_stateful(api, component, facts) if is_stateful(component) else _deployment(api, component, facts)]
    if component.ports:
        meta = manifests.owned(api, component.name, names.component(api, component.name))
        found.append(
            manifests.service(meta, _selector(api, component), {one.name: one.port for one in component.ports})
        )
    if replicas(component) > 1:
        meta = manifests.owned(api, component.name, names.component(api, component.name))
        found.append(manifests.disruption_budget(meta, _selector(api, component), may_be_gone=1))
    return found


def door(api: Api) -> list[Manifest]:
    """The Service where customers' requests arrive, whichever component takes them."""
    ports = [port for one in api.spec.components if one.intake for port in one.ports or []]
    if not ports:
        return []
    # By name: a pod that has no such port gets no such request.
    listed = [{"name": one.name, "port": one.port, "targetPort": one.name} for one in ports]
    pods = {names.INTAKE: "true", **_everything(api)}
    found = manifests.service(manifests.owned(api, "intake", api.name), pods, {})
    return [found | {"spec": found["spec"] | {"ports": listed}}]


def _everything(api: Api) -> dict[str, str]:
    return {OWNER_LABEL: api.owner}


def _deployment(api: Api, component: Component, facts: Facts) -> Manifest:
    meta = manifests.owned(api, component.name, names.component(api, component.name))
    # Never fewer than are wanted while one is exchanged; a singleton rather none than two.
    rolling = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": meta,
        "spec": {
            "replicas": replicas(component),
            "selector": {"matchLabels": _selector(api, component)},
            "strategy": {"type": "Recreate"} if component.singleton else rolling,
            "template": _template(api, component, facts, _live(api, component, facts)),
        },
    }


def _stateful(api: Api, component: Component, facts: Facts) -> Manifest:
    """Rolled like the others: image and environment are the user's own, and its volumes stay whatever happens."""
    live = _live(api, component, facts)
    kept = annotation(live, CLAIMS) if live else None
    claims = json.loads(kept) if kept else [_claim(api, component, one) for one in component.volumes or [] if one.size]
    meta = manifests.owned(api, component.name, names.component(api, component.name))
    meta["annotations"] = {CLAIMS: canonical(claims)}
    template = _template(api, component, facts, live)
    made = manifests.stateful_set(meta, _selector(api, component), template, names.component(api, component.name))
    spec = {
        "replicas": replicas(component),
        "podManagementPolicy": "Parallel",
        "updateStrategy": {"type": "RollingUpdate"},
        "volumeClaimTemplates": claims,
    }
    return made | {"spec": made["spec"] | spec}


def _claim(api: Api, component: Component, volume: Volume) -> Manifest:
    meta = manifests.retained(api, component.name, volume.name)
    del meta["namespace"]
    made = manifests.claim(meta, str(volume.size), volume.class_name)
    return {"metadata": meta, "spec": made["spec"]}


def _cron_job(api: Api, component: Component, facts: Facts) -> Manifest:
    template = _template(api, component, facts, _live_cron(api, component, facts))
    template["spec"]["restartPolicy"] = "Never"
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": manifests.owned(api, component.name, names.component(api, component.name)),
        "spec": {
            "schedule": component.schedule,
            "concurrencyPolicy": "Forbid",
            "startingDeadlineSeconds": 600,
            # Once per time, whatever comes of it: what a run has half done, the next one looks at.
            "jobTemplate": {"spec": {"backoffLimit": 0, "template": template}},
        },
    }


def _live(api: Api, component: Component, facts: Facts) -> Manifest | None:
    return facts.children.get(workload(api, component))


def _live_cron(api: Api, component: Component, facts: Facts) -> Manifest | None:
    live = facts.children.get(names.cron_job(api, component.name))
    return None if live is None else {"spec": {"template": live["spec"]["jobTemplate"]["spec"]["template"]}}


def _selector(api: Api, component: Component) -> dict[str, str]:
    return manifests.selector(api, component.name)


def _template(api: Api, component: Component, facts: Facts, live: Manifest | None) -> Manifest:
    labels = manifests.labels(api, component.name) | dict.fromkeys(CLIENT_OF, "true")
    if component.intake:
        labels[names.INTAKE] = "true"
    made = manifests.pod_template(labels, _pod_spec(api, component, facts), component.pod)
    last = live["spec"]["template"]["metadata"].get("annotations", {}).get(names.CREDENTIALS) if live else None
    version = environment.credentials(api, component, facts, last)
    return annotated(made, {names.CREDENTIALS: version})


def _pod_spec(api: Api, component: Component, facts: Facts) -> Manifest:
    spec = manifests.pod_spec(
        component.user,
        component.stop_seconds,
        containers=[_container(api, component, facts)],
        volumes=[*_own_volumes(api, facts), *(_volume(one) for one in component.volumes or [] if not one.size)],
    )
    if replicas(component) > 1:
        spec["topologySpreadConstraints"] = manifests.spread(_selector(api, component))
    return spec


def _container(api: Api, component: Component, facts: Facts) -> Manifest:
    writable = component.root_file_system == "Writable"
    found: Manifest = {
        "name": component.name,
        "image": component.image,
        "env": [*environment.variables(api, facts), *environment.own(component)],
        "securityContext": manifests.HARDENED | ({"readOnlyRootFilesystem": False} if writable else {}),
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            *_own_mounts(facts),
            {"name": "bankstack-tmp", "mountPath": "/tmp"},  # noqa: S108 - the pod's own
            *(_mount(one) for one in component.volumes or []),
        ],
    }
    ports = [{"name": one.name, "containerPort": one.port} for one in component.ports or []]
    from_ = [one.model_dump(by_alias=True, exclude_none=True) for one in component.env_from or []]
    given = {"command": component.command, "args": component.args, "ports": ports, "envFrom": from_}
    return found | {key: value for key, value in given.items() if value} | _probes(component)


def _probes(component: Component) -> Manifest:
    probes = component.probes
    if probes is None:
        return {}
    found = {
        "readinessProbe": probes.readiness,
        "livenessProbe": probes.liveness,
        "startupProbe": probes.startup,
    }
    return {key: _probe(one) for key, one in found.items() if one}


def _probe(probe: Probe) -> dict[str, Any]:
    return probe.model_dump(by_alias=True, exclude_none=True)


def _mount(volume: Volume) -> Manifest:
    read_only = {"readOnly": True} if volume.secret or volume.config_map else {}
    return {"name": volume.name, "mountPath": volume.mount_path} | read_only


def _own_mounts(facts: Facts) -> list[Manifest]:
    mode = {"name": "bankstack-mode", "mountPath": environment.MODE_FOLDER, "readOnly": True}
    ledger = {"name": "bankstack-ledger", "mountPath": environment.LEDGER_FOLDER, "readOnly": True}
    return [mode, ledger] if facts.ledger and facts.ledger.authority else [mode]


def _own_volumes(api: Api, facts: Facts) -> list[Manifest]:
    # Optional: an API that finds no mode decides for itself, one that cannot start decides nothing.
    maps = {"bankstack-mode": names.mode(api.name).name}
    if facts.ledger and facts.ledger.authority:
        maps["bankstack-ledger"] = facts.ledger.authority
    mounted = [{"name": name, "configMap": {"name": of, "optional": True}} for name, of in maps.items()]
    return [*mounted, {"name": "bankstack-tmp", "emptyDir": {}}]


def _volume(volume: Volume) -> Manifest:
    if volume.secret:
        return {"name": volume.name, "secret": {"secretName": volume.secret}}
    if volume.config_map:
        return {"name": volume.name, "configMap": {"name": volume.config_map}}
    return {"name": volume.name, "emptyDir": {}}

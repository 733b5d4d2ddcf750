"""What an LndNode needs next, and in which order."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.unit.kinds.lndnode import given
from tests.unit.kinds.lndnode.given import CA, CERTIFICATE, FRESH, INFO, ME, NOW, OLD_CA, ONE_CHANNEL, SILENT, node

from bankstack.clients.lnd.answers import Channels, State
from bankstack.engine.decision import Apply, Ask, Decision, Delete
from bankstack.engine.objects import CONFIG_MAP, STATEFUL_SET, Ref, annotation
from bankstack.kinds.lndnode import consumers, names
from bankstack.kinds.lndnode.backups import channel_digest
from bankstack.kinds.lndnode.decide import decide
from bankstack.kinds.lndnode.facts import Facts, Published, Wallet

STATEFUL = names.stateful_set("lnd1")
VOLUME = names.volume("lnd1")


def steps(decision: Decision) -> list[str]:
    return [one.action if isinstance(one, Ask) else str(one) for one in decision.actions]


def claims(decision: Decision) -> dict[str, tuple[str, str]]:
    return {one.type: (one.status, one.reason) for one in decision.claims}


def told(decision: Decision, type_: str) -> str:
    return next(one.message for one in decision.claims if one.type == type_)


def test_a_first_pass_makes_what_is_drawn_by_chance_before_what_uses_it() -> None:
    assert steps(decide(node(identity=None), given.untouched(), NOW)) == [
        "make_wallet",
        "make_authority",
        "issue_certificate",
        "apply PersistentVolumeClaim lnd1-data (Missing)",
        "apply ConfigMap lnd1-conf-8abb661f0366 (Missing)",
        "apply Service lnd1 (Missing)",
        "apply Service lnd1-p2p (Missing)",
        "apply NetworkPolicy lnd1 (Missing)",
        "apply PodDisruptionBudget lnd1 (Missing)",
        "apply StatefulSet lnd1 (Missing)",
    ]


def test_a_wallet_someone_brought_is_claimed_before_a_pod_could_use_it() -> None:
    brought = replace(FRESH, claimed_by=None, made_by_us=False)
    first = decide(node(identity=None), given.untouched(wallet=brought), NOW).actions[0]
    assert first == Ask("claim_wallet", "Unclaimed")


def test_the_seed_is_written_down_before_a_wallet_is_made_of_it() -> None:
    lnd1 = node(identity=None)
    facts = replace(given.settled(lnd1, given.untouched()), state=State.NON_EXISTING)
    assert steps(decide(lnd1, facts, NOW)) == ["make_seed", "init_wallet"]
    written = replace(facts, wallet=FRESH)
    assert steps(decide(lnd1, written, NOW)) == ["init_wallet"]


@pytest.mark.parametrize("place", ["status", "volume", "secret"])
def test_no_wallet_is_made_where_any_place_knows_an_identity(place: str) -> None:
    lnd1 = node(identity=ME if place == "status" else None)
    facts = given.settled(node(identity=None), given.untouched(wallet=FRESH))
    facts = replace(facts, state=State.NON_EXISTING, certificate=CERTIFICATE)
    if place == "volume":
        facts = given.annotated(facts, VOLUME, {names.IDENTITY: ME})
    if place == "secret":
        facts = replace(facts, wallet=replace(FRESH, identity=ME))
    decision = decide(lnd1, facts, NOW)
    assert not {"make_seed", "init_wallet"} & set(steps(decision))
    assert decision.finding is not None
    assert decision.finding.reason == "VolumeEmpty"


def test_the_first_identity_is_written_into_all_three_places_before_anybody_gets_access() -> None:
    fresh = node(identity=None)
    facts = given.settled(fresh, given.untouched())
    active = replace(facts, wallet=FRESH, state=State.SERVER_ACTIVE, info=INFO, presented=CERTIFICATE)
    decision = decide(fresh, active, NOW)
    assert steps(decision) == ["claim_wallet", "apply PersistentVolumeClaim lnd1-data (Changed)"]
    assert decision.actions[0] == Ask("claim_wallet", "Unclaimed", {"identity": ME})
    assert decision.status.model_dump()["identity_pubkey"] == ME
    after = given.carried_out(fresh, active, decision.actions)
    assert annotation(after.children[VOLUME], names.IDENTITY) == ME
    assert annotation(after.children[VOLUME], names.LND_VERSION) == "v0.21.2"
    # The status of that pass was lost in a crash: still nobody gets access.
    assert steps(decide(fresh, after, NOW)) == []
    assert steps(decide(node(), after, NOW)) == ["publish", "publish"]


def test_a_node_as_declared_is_ready_and_left_alone() -> None:
    decision = decide(node(), given.serving(), NOW)
    assert decision.actions == ()
    assert decision.finding is None
    assert decision.look_again == 30.0
    assert claims(decision) == {
        "Synced": ("True", "AtTip"),
        "CarriesPayments": ("False", "NoActiveChannel"),
        "ChannelBackup": ("True", "NoChannels"),
    }
    assert decision.status.model_dump(exclude_none=True) == {
        "identity_pubkey": ME,
        "state": "SERVER_ACTIVE",
        "version": "0.21.2-beta commit=v0.21.2-beta",
        "channels": 0,
    }


def test_what_cannot_be_seen_keeps_saying_what_was_seen_last() -> None:
    before = decide(node(), given.serving(channels=ONE_CHANNEL), NOW).status
    facts = given.serving(state=SILENT, info=SILENT, channels=SILENT)
    after = decide(node(status=before), facts, NOW)
    assert (after.status.model_dump()["channels"], after.status.model_dump()["state"]) == (1, "Unknown")
    assert claims(after)["Synced"] == ("Unknown", "LndSilent")
    assert claims(after)["ChannelBackup"] == ("Unknown", "LndSilent")


@pytest.mark.parametrize("gone", sorted(one for one in given.serving().children if one.type.kind != "Pod"), ids=str)
def test_every_child_that_is_deleted_comes_back_but_the_volume(gone: Ref) -> None:
    decision = decide(node(), given.without(given.serving(), gone), NOW)
    if gone == VOLUME:
        assert decision.actions == ()
        assert decision.finding is not None
        assert decision.finding.reason == "VolumeLost"
    else:
        assert steps(decision) == [f"apply {gone} (Missing)"]


def test_a_changed_spec_changes_nothing_that_runs_and_says_so() -> None:
    wished = node(version="v0.21.3-beta", config=[{"key": "alias", "value": "bank-2"}])
    decision = decide(wished, given.serving(), NOW)
    assert decision.actions == ()
    assert decision.finding is None
    assert claims(decision)["ChangePending"] == ("True", "NeedsRestart")
    assert "the change of version, lnd.conf (config, p2p.addresses, bitcoind) needs" in told(decision, "ChangePending")


def test_the_configuration_that_is_mounted_comes_back_even_if_the_spec_has_moved_on() -> None:
    facts = given.serving()
    mounted = next(one for one in facts.children if one.type == CONFIG_MAP)
    wished = node(config=[{"key": "alias", "value": "bank-2"}])
    (action,) = decide(wished, given.without(facts, mounted), NOW).actions
    assert isinstance(action, Apply)
    assert action.manifest["data"] == facts.children[mounted]["data"]


def false_start(revision: str, **status: Any) -> Facts:  # noqa: ANN401 - a StatefulSet's status
    """A first start as it was declared before a correction, in a loop of crashes."""
    facts = given.settled(node(identity=None), given.untouched(wallet=FRESH))
    live, pod = facts.children[STATEFUL], facts.children[names.pod("lnd1")]
    told = {"updateRevision": "new", "observedGeneration": 2} | status
    live = live | {"metadata": live["metadata"] | {"generation": 2}, "status": told}
    pod = pod | {"metadata": pod["metadata"] | {"labels": {"controller-revision-hash": revision}}}
    return replace(facts, children={**facts.children, STATEFUL: live, names.pod("lnd1"): pod})


def test_a_first_start_that_was_declared_wrong_is_made_as_it_is_declared_now() -> None:
    corrected = node(identity=None, config=[{"key": "alias", "value": "bank-2"}])
    decision = decide(corrected, false_start("new"), NOW)
    assert [one.split("-conf-")[0] for one in steps(decision)] == [
        "apply ConfigMap lnd1", "apply StatefulSet lnd1 (Changed)", "delete ConfigMap lnd1",
    ]  # fmt: skip
    assert "ChangePending" not in claims(decision)
    pod = Delete(names.pod("lnd1"), "pod-1", "FalseStart")
    assert decide(node(identity=None), false_start("old"), NOW).actions == (pod,)
    assert decide(node(identity=None), false_start("old", observedGeneration=1), NOW).actions == ()


def test_no_pod_of_a_known_node_is_ever_deleted_for_its_template() -> None:
    assert Delete(names.pod("lnd1"), "pod-1", "FalseStart") not in decide(node(), false_start("old"), NOW).actions
    seen = replace(false_start("old"), info=INFO, state=State.SERVER_ACTIVE)
    assert not [one for one in decide(node(identity=None), seen, NOW).actions if isinstance(one, Delete)]


def test_a_configuration_that_nothing_mounts_is_swept() -> None:
    facts = given.serving()
    stale = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "lnd1-conf-0", "uid": "c0"}}
    place = Ref(CONFIG_MAP, "lnd1-conf-0")
    decision = decide(node(), replace(facts, children={**facts.children, place: stale}), NOW)
    assert decision.actions == (Delete(place, "c0", "Unused"),)


def test_a_smaller_number_of_pods_or_an_edited_template_is_put_back() -> None:
    facts = given.serving()
    stolen = given.changed(facts, STATEFUL, managedFields=[])
    (action,) = decide(node(), stolen, NOW).actions
    assert isinstance(action, Apply)
    assert (action.reason, action.manifest["spec"]["replicas"]) == ("Drifted", 1)


def test_a_wish_for_an_older_lnd_is_refused_not_remembered() -> None:
    decision = decide(node(version="v0.20.3-beta"), given.serving(), NOW)
    assert claims(decision)["ChangePending"] == ("True", "DowngradeRefused")
    assert "v0.21.2 was started on volume lnd1-data" in told(decision, "ChangePending")
    assert decision.finding is None


def test_the_volume_remembers_the_newest_lnd_that_ran_on_it() -> None:
    facts = given.annotated(given.serving(), VOLUME, {names.LND_VERSION: "v0.22.0"})
    (action,) = decide(node(), facts, NOW).actions
    assert isinstance(action, Apply)
    assert action.manifest["metadata"]["annotations"][names.LND_VERSION] == "v0.22.0"


@pytest.mark.parametrize(
    ("held", "reason"),
    [
        (None, "Missing"),
        (replace(CERTIFICATE, names=CERTIFICATE.names - {"localhost"}), "NamesChanged"),
        (replace(CERTIFICATE, not_before=NOW - timedelta(days=250), not_after=NOW + timedelta(days=115)), "Expiring"),
        (replace(CERTIFICATE, issuer="old"), "OtherAuthority"),
    ],
)
def test_a_certificate_is_made_anew_in_time(held: Any, reason: str) -> None:  # noqa: ANN401 - a certificate or none
    (action,) = decide(node(), given.serving(certificate=held, presented=SILENT), NOW).actions
    assert isinstance(action, Ask)
    assert (action.action, action.reason) == ("issue_certificate", reason)


def test_a_certificate_with_more_than_a_third_of_its_life_is_left_alone() -> None:
    held = replace(CERTIFICATE, not_before=NOW - timedelta(days=240), not_after=NOW + timedelta(days=125))
    assert decide(node(), given.serving(certificate=held, presented=held), NOW).actions == ()


def test_a_renewed_certificate_waits_for_a_restart_and_says_until_when() -> None:
    shown = replace(CERTIFICATE, fingerprint="before", not_after=NOW + timedelta(days=100))
    decision = decide(node(), given.serving(presented=shown), NOW)
    assert claims(decision)["ChangePending"] == ("True", "CertificateRenewed")
    assert "valid until 2027-03-01T09:00:00Z" in told(decision, "ChangePending")


def test_a_change_and_a_renewed_certificate_are_one_condition() -> None:
    shown = replace(CERTIFICATE, fingerprint="before")
    decision = decide(node(version="v0.22.0-beta"), given.serving(presented=shown), NOW)
    assert [one.type for one in decision.claims].count("ChangePending") == 1
    assert "version" in told(decision, "ChangePending")
    assert "CertificateRenewed" not in claims(decision)["ChangePending"]
    assert "Restart it before" in told(decision, "ChangePending")


def test_a_lost_authority_is_made_anew_and_clients_trust_both_until_the_restart() -> None:
    """The running LND shows a certificate of the lost one."""
    old = {OLD_CA.fingerprint: OLD_CA.pem}
    shown = replace(CERTIFICATE, fingerprint="before", issuer="old")
    before = {who.name: Published(who.digest, ME, frozenset({"old"})) for who in consumers.CONSUMERS}
    facts = given.serving(authority=None, certificate=shown, presented=shown, trusted=old, published=before)
    decision = decide(node(), facts, NOW)
    assert decision.actions == (
        Ask("make_authority", "Missing"),
        Ask("issue_certificate", "OtherAuthority", {"trust": "old"}),
    )
    after = given.settled(node(), facts)
    assert {one.trust for one in after.published.values()} == {frozenset({"old", "ca"})}
    assert after.certificate
    restarted = replace(after, presented=after.certificate)
    trust = [one.words["trust"] for one in decide(node(), restarted, NOW).actions if isinstance(one, Ask)]
    assert trust == ["ca", "ca"]


def test_while_lnd_is_silent_no_authority_is_taken_from_anyone() -> None:
    both = {"old": OLD_CA.pem, "ca": CA.pem}
    wide = {who.name: Published(who.digest, ME, frozenset(both)) for who in consumers.CONSUMERS}
    facts = given.serving(presented=SILENT, trusted=both, published=wide)
    assert decide(node(), facts, NOW).actions == ()


@pytest.mark.parametrize(
    "broken",
    [
        Published("other permissions", ME, frozenset({"ca"})),
        Published(consumers.API.digest, given.OTHER, frozenset({"ca"})),
        Published(consumers.API.digest, ME, frozenset()),
        Published(consumers.API.digest, ME, frozenset({"ca"}), intact=False),
    ],
)
def test_access_that_is_not_as_it_should_be_is_written_anew(broken: Published) -> None:
    facts = given.serving()
    decision = decide(node(), replace(facts, published={**facts.published, "api": broken}), NOW)
    assert [one.words for one in decision.actions if isinstance(one, Ask)] == [{"consumer": "api", "trust": "ca"}]


def test_another_authority_for_clients_does_not_make_the_node_unready() -> None:
    facts = given.serving()
    fewer = Published(consumers.API.digest, ME, frozenset())
    assert decide(node(), replace(facts, published={**facts.published, "api": fewer}), NOW).finding is None


def test_a_new_channel_is_backed_up_and_said_to_be_at_risk_until_then() -> None:
    facts = given.serving(channels=ONE_CHANNEL)
    decision = decide(node(), facts, NOW)
    assert decision.actions == (Ask("save_channel_backup", "Changed", {"channels": channel_digest(ONE_CHANNEL)}),)
    assert claims(decision)["ChannelBackup"] == ("False", "Outdated")
    after = decide(node(), given.carried_out(node(), facts, decision.actions), NOW)
    assert after.actions == ()
    assert claims(after)["ChannelBackup"] == ("True", "Current")
    assert after.status.model_dump()["backed_up_at"] == "2026-11-21T09:00:00Z"


def test_backups_of_former_channels_are_kept_when_none_is_left() -> None:
    saved = given.settled(node(), given.serving(channels=ONE_CHANNEL))
    assert decide(node(), replace(saved, channels=Channels(closing=frozenset({"aa:0"}))), NOW).actions == ()


def test_a_node_that_is_behind_says_so_twice() -> None:
    decision = decide(node(), given.serving(info=replace(INFO, synced=False)), NOW)
    assert claims(decision)["Synced"] == ("False", "ChainSyncing")
    assert decision.finding is not None
    assert decision.finding.reason == "ChainSyncing"


def test_nothing_is_done_to_a_node_that_answers_as_another() -> None:
    facts = given.without(given.serving(info=replace(INFO, identity_pubkey=given.OTHER)), names.p2p_service("lnd1"))
    decision = decide(node(), facts, NOW)
    assert decision.actions == ()
    assert decision.status.model_dump()["identity_pubkey"] == ME


def test_contradicting_identities_are_not_written_into_the_status() -> None:
    facts = given.annotated(
        given.serving(wallet=replace(given.WALLET, identity=given.OTHER)), VOLUME, {names.IDENTITY: ME}
    )
    assert decide(node(identity=None), facts, NOW).status.model_dump()["identity_pubkey"] is None


def test_a_node_never_takes_the_identity_of_the_wallet_that_it_was_wrongly_given() -> None:
    anothers = replace(given.WALLET, claimed_by="lnd1")
    meta = {"name": "lnd2", "namespace": "bank", "uid": "u2", "generation": 1}
    lnd2 = replace(node(identity=None), name="lnd2", uid="u2", manifest={"metadata": meta, "spec": given.SPEC})
    decision = decide(lnd2, given.untouched(wallet=anothers), NOW)
    assert decision.finding is not None
    assert decision.finding.reason == "WalletInUse"
    assert decision.status.model_dump()["identity_pubkey"] is None


def test_a_retained_node_is_taken_up_again_by_its_name() -> None:
    """Deleted and applied anew: volume, wallet and backups are there, the status is empty."""
    kept = given.serving()
    again = replace(
        given.without(kept, *(one for one in kept.children if one != VOLUME)),
        state=SILENT, info=SILENT, presented=SILENT, funds=SILENT, channels=SILENT,
    )  # fmt: skip
    decision = decide(node(identity=None), again, NOW)
    assert decision.status.model_dump()["identity_pubkey"] == ME
    assert {one for one in steps(decision) if not one.startswith("apply")} == set()
    assert f"apply {Ref(STATEFUL_SET, 'lnd1')} (Missing)" in steps(decision)


def test_a_taken_up_volume_without_its_wallet_is_not_given_another() -> None:
    facts = given.serving(wallet=None)
    decision = decide(node(), facts, NOW)
    assert decision.actions == ()
    assert decision.finding is not None
    assert decision.finding.reason == "WalletSecretMissing"
    assert isinstance(facts, Facts)


def test_no_decision_and_no_fact_shows_a_secret() -> None:
    """Facts have no field that could hold one: what they say of a wallet is keys, counts and names."""
    assert Wallet.__dataclass_fields__.keys() == {
        "keys", "seed_words", "password_bytes", "claimed_by", "identity", "made_by_us",
    }  # fmt: skip

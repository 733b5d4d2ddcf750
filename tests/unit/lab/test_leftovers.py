from labkit import leftovers

BEFORE = """\
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [5:500]
-A INPUT -s 192.0.2.1/32 -j DROP
COMMIT
"""
DURING = """\
*nat
:PREROUTING ACCEPT [0:0]
:DOCKER - [0:0]
-A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER
-A POSTROUTING -s 172.31.250.0/24 ! -o bankstack0 -j MASQUERADE
-A POSTROUTING -s 172.31.251.0/24 ! -o br-0123456789ab -j MASQUERADE
COMMIT
*mangle
:FORWARD ACCEPT [0:0]
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:DOCKER-USER - [0:0]
-A INPUT -s 192.0.2.1/32 -j DROP
-A FORWARD -j DOCKER-USER
-A FORWARD -o br-0123456789ab -j ACCEPT
-A DOCKER-USER -j RETURN
COMMIT
"""
AFTER = """\
*nat
:PREROUTING ACCEPT [0:0]
COMMIT
*mangle
:FORWARD ACCEPT [0:0]
COMMIT
*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
-A INPUT -s 192.0.2.1/32 -j DROP
COMMIT
"""


def test_only_the_engines_rules_go_and_the_policy_is_as_it_was() -> None:
    assert leftovers.without_engine(DURING, leftovers.forward_policy(BEFORE)) == AFTER


def test_a_firewall_that_never_forwarded_stays_shut() -> None:
    after = leftovers.without_engine(DURING, leftovers.forward_policy(DURING))
    assert ":FORWARD DROP [0:0]\n-A INPUT" in after
    assert "*mangle\n:FORWARD ACCEPT" in after, "and only there"


def test_another_engines_traces_are_seen_before_anything_is_touched() -> None:
    assert leftovers.of_another_engine(DURING, "") == "the packet filter's chain DOCKER"
    assert leftovers.of_another_engine(BEFORE, "eth0 UP\ndocker0 DOWN\n") == "the interface docker0"
    assert leftovers.of_another_engine(BEFORE, "eth0 UP\nlo UNKNOWN\n") == ""


def test_a_machine_without_rules_forwards() -> None:
    assert leftovers.forward_policy("") == "ACCEPT"


def test_mounts_are_taken_off_from_the_inside_out_and_no_others() -> None:
    mounts = "d /c/engine d rw\no /c/engine/a o rw\nx /c/engine/a/b x rw\ny /c/engine-of-others y rw\nz / z rw\n"
    assert leftovers.mounts_below(mounts, "/c/engine") == ["/c/engine/a/b", "/c/engine/a", "/c/engine"]

"""Configuration of Redis and Sentinel, and how each is started (pure).

Who is master is asked anew at every start, and only of Sentinels: a majority of them
has to answer, and what the one with the newest epoch says is done: nothing but
Sentinel ever elects (law 6), and nobody but the pods themselves is needed (law 8).

A master that came back before the others have elected a new one may call itself master
for some seconds beside it. It grants no lock then: a lock needs a replica in step, and
a replica follows one master at a time.
"""

from typing import Final

from bankstack.engine.objects import digest
from bankstack.kinds.apideployment import names
from bankstack.kinds.apideployment.names import Api

#: Where the files are mounted.
FOLDER: Final = "/etc/bankstack-redis"
SECRETS: Final = "/run/bankstack-redis/secrets"
SCRATCH: Final = "/run/bankstack-redis/scratch"
DATA: Final = "/data"

#: Seconds of silence after which a Sentinel takes a member for down.
DOWN_AFTER_SECONDS: Final = 5

#: A lock that was evicted, or forgotten by a restart, is a lock held twice: nothing is evicted, everything is logged.
#: A second of appends may be lost with a node's power; replication is asynchronous in any case, which is why locks
#: count as lost whenever the master changes.
REDIS: Final = """\
port 6379
bind * -::*
protected-mode no
dir /data
aclfile /run/bankstack-redis/secrets/users.acl
masteruser replica
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
repl-diskless-sync yes
repl-diskless-sync-delay 0
shutdown-timeout 10
"""

SENTINEL: Final = """\
port 26379
bind * -::*
protected-mode no
dir /tmp
aclfile /run/bankstack-redis/secrets/sentinel.acl
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel sentinel-user sentinel
"""

#: A member is called as its Service, which is its pod's name.
_COMMON: Final = """\
#!/bin/sh
set -eu
etc=/etc/bankstack-redis
secrets=/run/bankstack-redis/secrets
scratch=/run/bankstack-redis/scratch
me="$POD_NAME.$POD_NAMESPACE.svc"
umask 077
"""

START_SENTINEL: Final = (
    _COMMON
    + """\
# What a Sentinel knows has to outlive it: the master, its epoch, the other Sentinels, its own name.
file=/data/sentinel/sentinel.conf
mkdir -p /data/sentinel
if [ ! -s "$file" ]; then
    cat "$etc/first-master" >"$file.new"
else
    known='myid|monitor|config-epoch|leader-epoch|current-epoch|known-replica|known-sentinel'
    grep -E "^sentinel ($known) " "$file" >"$file.new"
fi
{
    cat "$etc/sentinel.conf" "$etc/master.conf"
    echo "sentinel announce-ip $me"
    echo "sentinel auth-pass mymaster $(cat "$secrets/sentinel")"
    echo "sentinel sentinel-pass $(cat "$secrets/sentinel")"
} >>"$file.new"
mv "$file.new" "$file"

asks() { timeout 3 redis-cli --user sentinel --no-auth-warning -p 26379 "$@" 2>/dev/null; }

turns() { asks info stats | tr -d '\\r' | sed -n 's/^instantaneous_eventloop_cycles_per_sec://p'; }

# A link may keep an error of the kernel for ever: one that was begun while nothing stood behind a member's Service, and
# then came up. Sentinel never reads it (redis#9956) and is woken by it without end, a whole processor long. At rest it
# turns some thirty times a second. Made anew, its links have no errors; who is master is not touched by it.
renew_links() {
    export REDISCLI_AUTH="$(cat "$secrets/sentinel")"
    while sleep 10; do
        fast=$(turns)
        if [ "${fast:-0}" -lt 2000 ]; then continue; fi
        echo "turns $fast times a second, for an error on a link that nobody reads: makes its links anew"
        asks sentinel set mymaster auth-user sentinel >/dev/null || true
        asks sentinel config set sentinel-user sentinel >/dev/null || true
    done
}
renew_links &
exec redis-server "$file" --sentinel
"""
)

START_REDIS: Final = (
    _COMMON
    + """\
members=$(wc -l <"$etc/members")

# What one Sentinel knows of the master: epoch, host, replicas.
ask() {
    REDISCLI_AUTH=$(cat "$secrets/operator") timeout 3 \\
        redis-cli --user operator --no-auth-warning -h "$1" -p 26379 sentinel master mymaster 2>/dev/null |
        awk 'NR % 2 { key = $0; next } { told[key] = $0 }
            END { if ("ip" in told) print told["config-epoch"], told["ip"], told["num-slaves"] }'
}

# A volume has a log from the first start on.
has_log() { [ -n "$(ls /data/appendonlydir 2>/dev/null)" ]; }

master_is_known() {
    answers=$(while read -r host; do ask "$host" </dev/null || true; done <"$etc/members")
    count=$(printf '%s\\n' "$answers" | grep -c . || true)
    if [ "$count" -le $((members / 2)) ]; then
        told="$count of $members Sentinels answer: a majority has to say who is master"
        return 1
    fi
    newest=$(printf '%s\\n' "$answers" | sort -rn | head -n 1)
    epoch=${newest%% *}
    rest=${newest#* }
    master=${rest%% *}
    replicas=$(printf '%s\\n' "$answers" | awk '$3 > most { most = $3 } END { print most + 0 }')
    if [ "$master" != "$me" ] || has_log; then return 0; fi
    # Sentinel takes this member for the master, and its volume is empty: as a master it would empty the others too.
    if [ "$count" -eq "$members" ] && [ "$epoch" -eq 0 ] && [ "$replicas" -eq 0 ]; then
        echo "every Sentinel says that there was never a master and never a replica: this is the first start"
        return 0
    fi
    told="the volume is empty and others may have the data: waits for Sentinel to elect another master"
    return 1
}

before=
until master_is_known; do
    if [ "$told" != "$before" ]; then echo "$told"; fi
    before=$told
    sleep 1
done
echo "master is $master (epoch $epoch)"
{
    cat "$etc/redis.conf"
    echo "masterauth $(cat "$secrets/replica")"
    echo "replica-announce-ip $me"
    if [ "$master" != "$me" ]; then echo "replicaof $master 6379"; fi
} >"$scratch/redis.conf"
exec redis-server "$scratch/redis.conf"
"""
)


def files(api: Api, members: int) -> dict[str, str]:
    """Every file of the ConfigMap."""
    hosts = [names.member_host(api, number) for number in range(members)]
    half = members // 2
    return {
        # Without a replica that follows within 10 s nothing is written: an old master that is cut off grants no lock.
        "redis.conf": f"{REDIS}min-replicas-to-write {half}\nmin-replicas-max-lag 10\n",
        "sentinel.conf": SENTINEL,
        "first-master": f"sentinel monitor {names.MASTER} {hosts[0]} {names.REDIS_PORT} {half + 1}\n",
        "master.conf": _master(),
        "members": "".join(f"{host}\n" for host in hosts),
        "start-redis": START_REDIS,
        "start-sentinel": START_SENTINEL,
    }


def name(api: Api, content: dict[str, str]) -> str:
    """The ConfigMap's name for this content."""
    return names.redis_config(api, digest(content)).name


def _master() -> str:
    lines = {
        "auth-user": "sentinel",
        "down-after-milliseconds": str(DOWN_AFTER_SECONDS * 1000),
        "failover-timeout": "30000",
        "parallel-syncs": "1",
    }
    return "".join(f"sentinel {key} {names.MASTER} {value}\n" for key, value in lines.items())

"""Which of bitcoind's calls each RPC user may make (pure).

bitcoind knows no rights per wallet, so these lists are all there is. None of them can
make a wallet that holds keys, sign, or stop bitcoind: only who has a shell in the pod
can, by the cookie in its data directory.

Taken from the sources: lnd 0.21.2 with btcwallet 0.16.19 and btcd's rpcclient, Specter
2.1.11. A call that is missing answers HTTP 403, which both read as a broken bitcoind.
"""

from typing import Final

LND: Final = "lnd"
OPERATOR: Final = "operator"
SPECTER: Final = "specter"

_CHAIN: Final = (
    "getbestblockhash", "getblock", "getblockchaininfo", "getblockcount", "getblockfilter", "getblockhash",
    "getblockheader", "getchaintips", "getdeploymentinfo", "getindexinfo", "getnetworkinfo", "getrawtransaction",
    "gettxout", "help", "uptime",
)  # fmt: skip
_MEMPOOL: Final = (
    "decoderawtransaction", "estimatesmartfee", "getmempoolentry", "getmempoolinfo", "getrawmempool",
    "gettxspendingprevout", "sendrawtransaction", "submitpackage", "testmempoolaccept",
)  # fmt: skip

ALLOWED: Final = {
    # `getinfo` exists no more, and lnd concludes from exactly that answer that it talks to bitcoind.
    LND: (*_CHAIN, *_MEMPOOL, "getinfo", "getnodeaddresses", "getpeerinfo", "getzmqnotifications"),
    OPERATOR: (
        "createwallet", "deriveaddresses", "getaddressinfo", "getbalances", "getblockchaininfo", "getdescriptorinfo",
        "getindexinfo", "getnetworkinfo", "getwalletinfo", "getzmqnotifications", "importdescriptors",
        "listdescriptors", "listunspent", "listwalletdir", "listwallets", "loadwallet", "uptime",
    ),
    # To see and to pass on what signers sign. Not createwallet, importdescriptors or any call that takes a key.
    SPECTER: (
        *_CHAIN, *_MEMPOOL,
        "abandontransaction", "abortrescan", "analyzepsbt", "combinepsbt", "converttopsbt", "decodepsbt",
        "deriveaddresses", "finalizepsbt", "getaddressesbylabel", "getaddressinfo", "getbalance", "getbalances",
        "getdescriptorinfo", "getmininginfo", "getnewaddress", "getrawchangeaddress", "getreceivedbyaddress",
        "gettransaction", "gettxoutproof", "gettxoutsetinfo", "getwalletinfo", "listdescriptors", "listlabels",
        "listlockunspent", "listsinceblock", "listtransactions", "listunspent", "listwalletdir", "listwallets",
        "loadwallet", "lockunspent", "rescanblockchain", "scantxoutset", "setlabel", "utxoupdatepsbt",
        "walletcreatefundedpsbt", "walletprocesspsbt",
    ),
}  # fmt: skip

USERS: Final = tuple(ALLOWED)


def whitelists() -> tuple[str, ...]:
    """Lines of bitcoin.conf."""
    return tuple(f"rpcwhitelist={user}:{','.join(sorted(set(calls)))}" for user, calls in ALLOWED.items())

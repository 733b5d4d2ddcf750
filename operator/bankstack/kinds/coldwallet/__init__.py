"""ColdWallet: a bitcoind with a watch-only multisig wallet, and Specter to sign with."""

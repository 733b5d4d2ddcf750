"""Addresses as BIP 173 and BIP 350 have them, and what people make of them."""

import pytest

from bankstack.engine.address import is_address
from bankstack.engine.bitcoin import Network


@pytest.mark.parametrize(
    ("text", "network"),
    [
        ("BC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4", "mainnet"),
        ("tb1qrp33g0q5c5txsp9arysrx4k6zdkfs4nce4xj0gdcccefvpysxf3q0sl5k7", "signet"),
        ("bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0", "mainnet"),
        ("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080", "regtest"),
        ("1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2", "mainnet"),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "mainnet"),
        ("mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn", "regtest"),
    ],
)
def test_coins_can_be_sent_there(text: str, network: Network) -> None:
    assert is_address(text, network)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "bc1",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5",
        "bC1QW508D6QEJXTDG4Y5R3ZARVARY0C5XW7KV8F3T4",
        # Anybody can spend what is sent there: pay to anchor, and versions to come.
        "bc1pfeessrawgf",
        "BC1SW50QGDZ25J",
        "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs",
        # A checksum of bech32 where bech32m belongs, and the other way.
        "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqh2y7hd",
        "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kemeawh",
        "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080",
        "mipcBbFg9gMiCh81Kj8tqqdgoZub1ZJRfn",
        "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN3",
        "11BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2",
        "z" * 200,
        "bc1q€",
    ],
)
def test_on_mainnet_coins_cannot_be_sent_there(text: str) -> None:
    assert not is_address(text, "mainnet")

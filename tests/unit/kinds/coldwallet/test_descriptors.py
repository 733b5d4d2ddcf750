import pytest
from tests.misoperations import TPRV, sample

from bankstack.engine import base58
from bankstack.kinds.coldwallet import descriptors
from bankstack.kinds.coldwallet.model import ColdWalletSpec

from .given import PAIR

TPUB = sample("vault")["spec"]["multisig"]["keys"][0]["xpub"]
#: BIP 32's first test vector, public key of chain m.
XPUB = "xpub661MyMwAqRbcFtXgS5sYJABqqG9YLmC4Q1Rdap9gSE8NqtwybGhePY2gZ29ESFjqJoCu1Rupje8YtGqsefD265TMg7usUDFdp6W1EGMcet8"


def spec(**changes: object) -> ColdWalletSpec:
    return ColdWalletSpec.model_validate({**sample("vault")["spec"], **changes})


def given(*texts: str, network: str = "regtest") -> ColdWalletSpec:
    whole = {key: value for key, value in sample("vault")["spec"].items() if key != "multisig"}
    return ColdWalletSpec.model_validate({**whole, "network": network, "descriptors": list(texts)})


def test_the_sample_watches_what_bitcoind_computed_for_it() -> None:
    # getdescriptorinfo of bitcoind 29.5 gave these.
    assert PAIR.checksums == ("w7eklz04", "ttjvpyla")
    assert PAIR.receive.startswith("wsh(sortedmulti(2,[113c3f0f/48h/1h/0h/2h]tpub")
    assert PAIR.change == descriptors.sealed(PAIR.receive.partition("#")[0].replace("/0/*", "/1/*"))


@pytest.mark.parametrize(
    ("body", "checksum"),
    [
        ("raw(deadbeef)", "89f8spxm"),  # BIP 380
        (
            "pkh(02c6047f9441ed7d6d3045406e95c07cd85c778e4b8cef3ca7abac09b95c709ee5)",
            "8fhd9pwu",
        ),  # Core's descriptors.md
    ],
)
def test_checksums_are_those_of_bip_380(body: str, checksum: str) -> None:
    assert descriptors.checksum(body) == checksum


def test_one_changed_character_changes_the_checksum() -> None:
    body = PAIR.receive.partition("#")[0]
    assert descriptors.checksum(body.replace("113c3f0f", "113c3f0e")) != PAIR.checksums[0]


def test_a_character_that_no_descriptor_has_is_named() -> None:
    with pytest.raises(descriptors.Unusable, match="the character 'ß'"):
        descriptors.checksum("raw(ß)")


def test_base58check_goes_both_ways() -> None:
    for text in (XPUB, TPUB, base58.encode(b"\0\0two zeros")):
        assert base58.encode(base58.decode(text)) == text


def test_slip_132_spellings_become_the_plain_ones() -> None:
    rest = base58.decode(XPUB)[4:]
    for version in ("049d7cb2", "04b24746", "0295b43f", "02aa7ed3", "0488b21e"):
        assert base58.plain(base58.encode(bytes.fromhex(version) + rest), mainnet=True) == XPUB
    rest = base58.decode(TPUB)[4:]
    for version in ("044a5262", "045f1cf6", "024289ef", "02575483", "043587cf"):
        assert base58.plain(base58.encode(bytes.fromhex(version) + rest), mainnet=False) == TPUB
    assert base58.encode(bytes.fromhex("04b24746") + base58.decode(XPUB)[4:]).startswith("zpub")


@pytest.mark.parametrize(
    ("key", "mainnet", "why"),
    [
        (TPUB[:-1] + "1", False, "its checksum does not fit"),
        (TPUB.replace("D", "0", 1), False, "the character '0'"),
        (TPUB, True, "a key of a test network"),
        (XPUB, False, "a key of the main network"),
        (TPRV, False, "not an extended public key"),
        ("", False, "its checksum does not fit"),
    ],
)
def test_a_key_that_cannot_be_watched_says_why_and_is_not_repeated(key: str, mainnet: bool, why: str) -> None:  # noqa: FBT001
    with pytest.raises(base58.Mistyped, match=why) as error:
        base58.plain(key, mainnet=mainnet)
    assert not key or key not in str(error.value)


def test_a_mistyped_signer_is_named() -> None:
    keys = [dict(one) for one in sample("vault")["spec"]["multisig"]["keys"]]
    keys[1]["xpub"] = keys[1]["xpub"][:-1] + "1"
    with pytest.raises(descriptors.Unusable, match=r"the xpub of cto is mistyped.*Export it from the signer again"):
        descriptors.pair(spec(multisig={"threshold": 2, "keys": keys}))


def test_given_descriptors_are_brought_to_bitcoinds_spelling() -> None:
    receive = PAIR.receive.partition("#")[0].replace("h", "'").replace("ws'(", "wsh(")
    change = receive.replace("/0/*", "/1/*")
    assert descriptors.pair(given(receive, descriptors.sealed(change))) == PAIR


def test_a_given_checksum_is_proven() -> None:
    with pytest.raises(descriptors.Unusable, match=r"descriptors\[1\]: its checksum does not fit"):
        descriptors.pair(given(PAIR.receive, PAIR.change[:-1] + "q"))


def test_a_key_of_another_chain_in_a_descriptor_is_refused() -> None:
    with pytest.raises(descriptors.Unusable, match=r"descriptors\[0\]: a key in it is a key of a test network"):
        descriptors.pair(
            ColdWalletSpec.model_validate(
                given(PAIR.receive, PAIR.change).model_dump(by_alias=True, exclude_none=True)
                | {"network": "mainnet", "confirmMainnet": True}
            )
        )


def test_receive_and_change_are_not_the_same() -> None:
    with pytest.raises(descriptors.Unusable, match="receive and change are the same"):
        descriptors.pair(given(PAIR.receive, PAIR.receive))


def test_hardened_steps_may_be_spelt_either_way() -> None:
    body = PAIR.receive.partition("#")[0]
    assert descriptors.same(PAIR.receive, body.replace("/48h/1h/0h/2h", "/48'/1'/0'/2'"))
    assert not descriptors.same(PAIR.receive, PAIR.change)

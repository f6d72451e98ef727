"""Keys of the HTTP API: shown once, kept as a hash, ended at once."""

import hashlib
import json

import pytest

from feedback_lab import keys
from feedback_lab.errors import InputError
from feedback_lab.keys import Keyring, Scope
from feedback_lab.store import Store
from tests.command_line import Ask, Refuse


def test_a_key_opens_what_it_was_made_for_and_its_secret_is_kept_nowhere(store: Store) -> None:
    info, secret = keys.add(store, "shop", "ingest")

    assert Keyring(store).check(secret) == info
    assert info.scope is Scope.INGEST
    assert secret.startswith("fl_")
    assert len(secret) >= 43
    row = store.rows("SELECT * FROM api_key")[0]
    assert row["secret_sha256"] == hashlib.sha256(secret.encode()).hexdigest()
    dumped = [store.rows(f"SELECT * FROM {table}") for table in ("api_key", "audit")]
    assert secret not in repr(dumped)


def test_two_keys_never_have_the_same_secret(store: Store) -> None:
    assert keys.add(store, "one", "read")[1] != keys.add(store, "two", "read")[1]


@pytest.mark.parametrize("wrong", ["", "fl_", "fl_" + "x" * 43, "\ud800", "Bearer", "' OR 1=1 --"])
def test_any_other_secret_opens_nothing(store: Store, wrong: str) -> None:
    keys.add(store, "shop", "ingest")
    assert Keyring(store).check(wrong) is None


def test_a_revoked_key_is_refused_by_a_keyring_that_has_seen_it_alive(store: Store) -> None:
    _, secret = keys.add(store, "shop", "ingest")
    ring = Keyring(store)
    assert ring.check(secret) is not None

    keys.revoke(store, "shop")

    assert ring.check(secret) is None
    assert keys.listing(store)[0].revoked_at is not None


def test_a_key_made_later_is_known_to_a_keyring_at_once(store: Store) -> None:
    ring = Keyring(store)
    assert ring.check("fl_nothing") is None
    _, secret = keys.add(store, "shop", "ingest")
    assert ring.check(secret) is not None


def test_a_key_can_be_revoked_by_its_id_and_its_name_used_again(store: Store) -> None:
    first, old = keys.add(store, "shop", "ingest")
    assert keys.revoke(store, first.key_id).name == "shop"
    _, new = keys.add(store, "shop", "ingest")
    ring = Keyring(store)
    assert (ring.check(old), ring.check(new) is not None) == (None, True)


def test_a_name_has_one_live_key(store: Store) -> None:
    keys.add(store, "shop", "ingest")
    with pytest.raises(InputError, match="revoke it first"):
        keys.add(store, "shop", "read")


@pytest.mark.parametrize(
    ("name", "scope", "origins", "words"),
    [
        ("", "ingest", (), "name"),
        ("a" * 101, "ingest", (), "name"),
        ("a\x1b[2J", "ingest", (), "name"),
        ("a", "owner", (), "scope"),
        ("a", "Ingest", (), "scope"),
        ("a", "public-write", (), "--origin"),
        ("a", "ingest", ("https://shop.example",), "--origin"),
        ("a", "public-write", ("*",), "origin"),
        ("a", "public-write", ("null",), "origin"),
        ("a", "public-write", ("https://shop.example/page",), "origin"),
        ("a", "public-write", ("javascript:alert(1)",), "origin"),
        ("a", "public-write", ("https://*.shop.example",), "origin"),
        ("a", "public-write", ("https://shop.example\nhttps://evil.example",), "origin"),
    ],
)
def test_a_key_that_cannot_be_is_refused(
    store: Store, name: str, scope: str, origins: tuple[str, ...], words: str
) -> None:
    with pytest.raises(InputError, match=words):
        keys.add(store, name, scope, origins)
    assert keys.listing(store) == []


def test_origins_are_kept_as_browsers_send_them(store: Store) -> None:
    given = ["HTTPS://Shop.Example/", "http://localhost:3000", "https://shop.example:443", "http://[::1]:8080"]
    info, _ = keys.add(store, "site", "public-write", given)
    assert info.origins == ("https://shop.example", "http://localhost:3000", "http://[::1]:8080")
    assert Keyring(store).origins() == frozenset(info.origins)


def test_only_live_public_keys_bring_origins(store: Store) -> None:
    keys.add(store, "site", "public-write", ["https://shop.example"])
    ring = Keyring(store)
    assert ring.origins() == {"https://shop.example"}
    keys.revoke(store, "site")
    assert ring.origins() == frozenset()


def test_keys_by_command_line(ask: Ask, refuse: Refuse) -> None:
    made = ask("keys", "add", "site", "--scope", "public-write", "--origin", "https://shop.example")
    assert str(made["secret"]).startswith("fl_")
    listed = ask("keys", "list")["keys"]
    assert [(key["name"], key["scope"], key["origins"]) for key in listed] == [
        ("site", "public-write", ["https://shop.example"])
    ]
    assert str(made["secret"]) not in json.dumps(listed)
    assert ask("keys", "revoke", "site")["revoked_at"]
    assert "no live key" in refuse(1, "keys", "revoke", "site")

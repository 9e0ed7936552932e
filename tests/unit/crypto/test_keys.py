"""The keys of an installation: files, derivation, signatures and keyed hashes."""

import hmac
import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_agent_mesh.evidence import verify
from ai_agent_mesh.plumbing.crypto import (
    KeyedHash,
    KeyFileBroken,
    KeyFileExposed,
    MasterKey,
    Signer,
)


def test_a_new_key_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    MasterKey.load_or_create(tmp_path / "keys" / "master.key")
    assert (tmp_path / "keys" / "master.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o700
    assert [file.name for file in (tmp_path / "keys").iterdir()] == ["master.key"]


def test_the_same_file_gives_the_same_keys_again(tmp_path: Path) -> None:
    path = tmp_path / "master.key"
    first, second = MasterKey.load_or_create(path), MasterKey.load_or_create(path)
    assert first.derive(b"a") == second.derive(b"a") != first.derive(b"b")
    assert len(first.derive(b"a")) == 32


def test_derived_keys_are_those_of_rfc_5869() -> None:
    secret, label = bytes(range(32)), b"label"
    extracted = hmac.digest(bytes(32), secret, "sha256")
    assert MasterKey(secret).derive(label) == hmac.digest(extracted, label + b"\x01", "sha256")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666, 0o620])
def test_a_key_file_open_to_others_is_refused_in_one_line(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    MasterKey.load_or_create(path)
    path.chmod(mode)
    with pytest.raises(KeyFileExposed) as refusal:
        MasterKey.load_or_create(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_broken_key_file_is_refused_and_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "some.key"
    path.write_bytes(b"short")
    path.chmod(0o600)
    for kind in (MasterKey, Signer):
        with pytest.raises(KeyFileBroken):
            kind.load_or_create(path)
    assert path.read_bytes() == b"short"


def test_processes_that_start_together_agree_on_one_key(tmp_path: Path) -> None:
    path, keys = tmp_path / "master.key", list[bytes]()
    start = threading.Barrier(8)

    def load() -> None:
        start.wait()
        keys.append(MasterKey.load_or_create(path).derive(b"x"))

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1
    assert os.listdir(tmp_path) == ["master.key"]  # noqa: PTH208 - names are what is compared


def test_a_signature_verifies_with_the_public_half_alone(tmp_path: Path) -> None:
    signer = Signer.load_or_create(tmp_path / "ledger.key")
    again = Signer.load_or_create(tmp_path / "ledger.key")
    signature = signer.sign(b"root")
    assert signature == again.sign(b"root")
    assert signer.key_id == again.key_id
    assert verify(signer.public_bytes, signature, b"root")
    assert not verify(signer.public_bytes, signature, b"roots")
    assert not verify(signer.public_bytes, signature[:-1], b"root")
    assert not verify(b"short", signature, b"root")


def test_secrets_stay_out_of_representations() -> None:
    master = MasterKey(b"s" * 32)
    assert "ssss" not in repr(master) + repr(KeyedHash(b"ssss"))


@given(st.binary(), st.binary())
def test_a_keyed_hash_matches_its_own_secret_only(one: bytes, other: bytes) -> None:
    keyed = KeyedHash(b"k" * 32)
    assert keyed.matches(one, keyed.digest(one))
    assert keyed.matches(other, keyed.digest(one)) == (one == other)
    assert KeyedHash(b"j" * 32).digest(one) != keyed.digest(one)

"""Knows the installation's keys: master key, tenants' keysets, signer and keyed hash."""

from ai_agent_mesh.plumbing.crypto.facts import SealBroken
from ai_agent_mesh.plumbing.crypto.keyfiles import KeyFileBroken, KeyFileExposed
from ai_agent_mesh.plumbing.crypto.master import KeyedHash, MasterKey
from ai_agent_mesh.plumbing.crypto.signer import Signer
from ai_agent_mesh.plumbing.crypto.vault import Vault

__all__ = [
    "KeyFileBroken",
    "KeyFileExposed",
    "KeyedHash",
    "MasterKey",
    "SealBroken",
    "Signer",
    "Vault",
]

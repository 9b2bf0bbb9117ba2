"""The files that kfp packs into the source of a component: a folder or a notebook, as a compressed tar in base64.

Packing the same files twice gives different bytes, because the archive holds times; keys look at the files instead.
"""

from __future__ import annotations

import ast
import base64
import binascii
import hashlib
import io
import tarfile
import zlib
from typing import Final

from argosy.launcher.canonical import digest_of

VARIABLE: Final = "__KFP_EMBEDDED_ARCHIVE_B64"


def with_digests(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return statements in which each embedded archive is replaced by the digest of its files."""
    return [_replaced(node) for node in body]


def _replaced(node: ast.stmt) -> ast.stmt:
    match node:
        case ast.Assign([ast.Name(name)], ast.Constant(str(text))) if name == VARIABLE:
            digest = _tree_digest(text)
            return node if digest is None else ast.Assign([ast.Name(VARIABLE, ast.Store())], ast.Constant(digest))
    return node


def _tree_digest(text: str) -> str | None:
    """Digest names and bytes of an archive's files; None for what is no archive, which then stands for itself."""
    try:
        data = base64.b64decode(text, validate=True)
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            return digest_of({member.name: _member_digest(archive, member) for member in archive if not member.isdir()})
    except (binascii.Error, tarfile.TarError, EOFError, OSError, zlib.error):
        return None


def _member_digest(archive: tarfile.TarFile, member: tarfile.TarInfo) -> str:
    file = archive.extractfile(member) if member.isfile() else None
    return hashlib.sha256(file.read()).hexdigest() if file else f"link to {member.linkname}"

"""Files packed into a component's source count by name and bytes, not by how and when they were packed."""

import base64
import io
import tarfile

from argosy.launcher.closure import parse_source


def embedded(files, *, mtime=0, level=9):
    """Return a component's source with an archive as kfp packs it."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz", compresslevel=level) as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(text), mtime
            archive.addfile(member, io.BytesIO(text.encode()))
    return f"__KFP_EMBEDDED_ARCHIVE_B64 = '{base64.b64encode(packed.getvalue()).decode()}'\n\ndef step():\n    pass\n"


def digest(code):
    return parse_source(code, "step").digest


def test_packing_the_same_files_again_changes_nothing():
    assert digest(embedded({"a.txt": "x"})) == digest(embedded({"a.txt": "x"}, mtime=1_700_000_000, level=1))


def test_another_byte_or_another_name_is_another_digest():
    digests = {digest(embedded(files)) for files in ({"a.txt": "x"}, {"a.txt": "y"}, {"b.txt": "x"}, {})}
    assert len(digests) == 4


def test_what_is_no_archive_stands_for_itself():
    texts = ["", "no archive", base64.b64encode(b"no tar").decode(), base64.b64encode(b"\x1f\x8b\x08\x00torn").decode()]
    assert len({digest(f"__KFP_EMBEDDED_ARCHIVE_B64 = {text!r}") for text in texts}) == len(texts)

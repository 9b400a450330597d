"""Makes the conformance runner run where the C library is older than the one it was built with.

Takes a program and where to write it. The versions that are missing become weak, and the few symbols that need them
are bound to any version: `shim.c`, which is loaded before, has them. Nothing else is changed. ELF64, little endian.
"""

import struct
import sys
from pathlib import Path

# Versions that Debian 12 does not have, by name.
MISSING = (b"GLIBC_2.38", b"GLIBCXX_3.4.32")
WEAK = 2
ANY_VERSION = 1
DYNSYM, VERSYM, VERNEED = 11, 0x6FFFFFFF, 0x6FFFFFFE


def main() -> None:
    image = bytearray(Path(sys.argv[1]).read_bytes())
    sections = dict(_sections(image))
    symbols, versions, needs = sections[DYNSYM], sections[VERSYM], sections[VERNEED]
    strings = needs["link_offset"]
    missing = set()
    for flags_at, index, name_at in _needed(image, needs):
        if _text(image, strings + name_at) in MISSING:
            struct.pack_into("<H", image, flags_at, WEAK)
            missing.add(index)
    for position in range(symbols["size"] // 24):
        at = versions["offset"] + 2 * position
        if struct.unpack_from("<H", image, at)[0] in missing:
            struct.pack_into("<H", image, at, ANY_VERSION)
    written = Path(sys.argv[2])
    written.write_bytes(image)
    written.chmod(0o755)


def _sections(image: bytes):
    """The sections by type, each with its place and that of the strings it names things by."""
    table, = struct.unpack_from("<Q", image, 0x28)
    size, count = struct.unpack_from("<HH", image, 0x3A)
    headers = [struct.unpack_from("<IIQQQQIIQQ", image, table + size * number) for number in range(count)]
    for _, kind, _, _, offset, length, link, _, _, _ in headers:
        yield kind, {"offset": offset, "size": length, "link_offset": headers[link][4] if link < count else 0}


def _needed(image: bytes, section: dict):
    """Where the flags of each needed version stand, its index, and the place of its name."""
    library = section["offset"]
    while True:
        _, count, _, first, after = struct.unpack_from("<HHIII", image, library)
        version = library + first
        for _ in range(count):
            _, _, index, name, following = struct.unpack_from("<IHHII", image, version)
            yield version + 4, index, name
            version += following
        if not after:
            return
        library += after


def _text(image: bytes, at: int) -> bytes:
    return bytes(image[at:image.index(0, at)])


if __name__ == "__main__":
    main()

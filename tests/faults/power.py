"""A power cut: what was not synced is lost, in pieces. Without root, without a compiler, on any file system.

    power = Power(town.folder)                       # before the processes start
    with new_town(folder, **power.variables) as town:
        ...
        power.cut(town.processes, dice)              # kill -9 of all, then the folder as a disk might hold it
        ...start them again...

Synced bytes and synced folder entries stay. Of what came after, each block of 4 KB, each length and each entry is kept
or not, by dice: a disk writes in the order that it likes. One mercy, as every journaling file system grants it: a file
that is renamed keeps its old name or its new one. The databases are other machines and keep their power.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from random import Random

from tests.faults.town import ROOT, Playhead
from tests.faults.witness import Witness, name_of

BLOCK_BYTES = 4_096


class Power:
    """Of the machine whose disk is `folder`."""

    def __init__(self, folder: Path, *, fsync: bool = True) -> None:
        self.folder = folder
        self._witness = folder.with_name(folder.name + "-witness")
        self.lost = 0  # blocks, lengths and entries that were not kept
        self._fsync = fsync
        self._placed: set[int] = set()  # files that kept a name
        self._begin()

    @property
    def variables(self) -> dict[str, str]:
        """For the processes; `fsync=False`: their syncs do nothing, so that a cut takes what was promised."""
        return {
            "PYTHONPATH": str(Path(__file__).with_name("shim")),
            "POWER_WITNESS": str(self._witness),
            "POWER_SOURCE": str(ROOT),
            "POWER_FSYNC": "on" if self._fsync else "off",
        }

    def cut(self, processes: Iterable[Playhead], dice: Random) -> None:
        """End all processes at once and leave the folder as the disk may have it."""
        for process in processes:
            process.kill()
        alive = self._alive()
        durable = {inode: path for path, inode in self._durable_files()}
        self._placed = set()
        self._revert(self.folder, dice)
        for inode in sorted(durable.keys() & alive - self._placed):  # the mercy
            if durable[inode].parent.is_dir() and not durable[inode].exists():
                os.link(self._held(inode), durable[inode])
                self._tear(durable[inode], inode, dice)
        self._begin()

    def _begin(self) -> None:
        """Everything that is there now is on disk."""
        shutil.rmtree(self._witness, ignore_errors=True)
        self._witness.mkdir(parents=True)
        witness = Witness(str(self._witness))
        for folder, _, names in os.walk(self.folder):
            witness.note_folder(folder)
            for name in names:
                path = os.path.join(folder, name)
                if os.path.isfile(path):
                    witness.note_file(path, os.stat(path).st_ino)
        witness.close()

    def _revert(self, folder: Path, dice: Random) -> None:
        durable = self._durable(folder)
        current = {entry.name: entry.inode() for entry in os.scandir(folder)}
        kept = {name: inode for name, inode in current.items() if durable.get(name) == inode}
        for name in sorted(durable.keys() | current.keys()):
            before, after = durable.get(name), current.get(name)
            if before != after:
                chosen = dice.choice((before, after))
                self.lost += chosen == before
                if chosen is not None:
                    kept[name] = chosen
        self._settle(folder, current, kept, dice)

    def _settle(self, folder: Path, current: dict[str, int], kept: dict[str, int], dice: Random) -> None:
        """Make the folder hold exactly these entries, each with what the disk has of it."""
        for name, inode in current.items():
            path = folder / name
            if kept.get(name) == inode:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        for name, inode in kept.items():
            path = folder / name
            if current.get(name) != inode and self._held(inode).exists():
                os.link(self._held(inode), path)
            if path.is_dir():
                self._revert(path, dice)
            elif path.is_file():
                self._placed.add(inode)
                self._tear(path, inode, dice)

    def _tear(self, path: Path, inode: int, dice: Random) -> None:
        """Of the bytes written since the last sync some reached the disk."""
        synced = self._witness / "files" / str(inode)
        before = synced.read_bytes() if synced.exists() else b""
        after = path.read_bytes()
        if before == after:
            return
        length = dice.choice((len(before), len(after)))
        blocks = []
        for at in range(0, length, BLOCK_BYTES):
            old, new = before[at : at + BLOCK_BYTES], after[at : at + BLOCK_BYTES]
            chosen = dice.choice((old, new))
            self.lost += old != new and chosen == old
            blocks.append(chosen.ljust(min(BLOCK_BYTES, length - at), b"\0")[: length - at])
        draft = path.with_name(path.name + ".torn")  # the held inode stays as it is
        draft.write_bytes(b"".join(blocks))
        os.replace(draft, path)

    def _alive(self) -> set[int]:
        """The files that have a name."""
        folders = (Path(folder) for folder, _, _ in os.walk(self.folder))
        return {each.inode() for folder in folders for each in os.scandir(folder) if each.is_file()}

    def _durable_files(self) -> Iterator[tuple[Path, int]]:
        """Names of files when their folders were synced last."""
        for folder, _, _ in os.walk(self.folder):
            for name, inode in self._durable(Path(folder)).items():
                if (held := self._held(inode)).exists() and held.is_file():
                    yield Path(folder) / name, inode

    def _durable(self, folder: Path) -> dict[str, int]:
        """The folder's entries when it was synced last."""
        try:
            text = (self._witness / "folders" / name_of(str(folder))).read_text("utf-8")
        except FileNotFoundError:
            return {}
        pairs = (line.split(" ", 1) for line in text.splitlines())
        return {name: int(inode) for inode, name in pairs}

    def _held(self, inode: int) -> Path:
        return self._witness / "held" / str(inode)

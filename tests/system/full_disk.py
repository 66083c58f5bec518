"""Give a directory of a machine a disk of its own with room for a few more files: then writing fails in the middle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from dcor_dev.machine import Machine

#: It has free bytes, as whoever asks before writing wants them, and no free inodes: the error is the same (ENOSPC).
MOUNT = """
place=$(realpath --canonicalize-existing {place})
{stop}
mkdir -p /mnt/full
mount -t tmpfs -o "size=8G,nr_inodes=$(($(find $place | wc -l) + {files}))" tmpfs /mnt/full
chown --reference=$place /mnt/full
chmod --reference=$place /mnt/full
cp --archive $place/. /mnt/full/
mount --bind /mnt/full $place
{start}
"""
#: What was written meanwhile goes along. Programs that were started from there use the former disk until they end.
UNMOUNT = """
place=$(realpath --canonicalize-existing {place})
{stop}
umount --lazy $place
rsync --archive --hard-links --delete /mnt/full/ $place/
umount --lazy /mnt/full
{start}
"""


@contextmanager
def full_disk(machine: Machine, place: str, files: int, stop: str = ":", start: str = ":") -> Iterator[None]:
    """Give a directory a disk with room for so many more files; its program is stopped before each change of the disk.

    `stop` and `start`: the commands for that.
    """
    words = {"place": place, "files": str(files), "stop": stop, "start": start}
    machine.shell(MOUNT.format(**words))
    try:
        yield
    finally:
        machine.shell(UNMOUNT.format(**words))

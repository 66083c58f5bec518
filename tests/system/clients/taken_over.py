"""Try what somebody who has taken CKAN over would try, from inside CKAN's unit; print what came of each attempt.

Arguments: the process id of a worker of nginx, the data directory. Prints JSON: for each attempt "allowed", or how it
was refused. An attempt is made in a process of its own, because some are answered with a signal.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import mmap
import os
import socket
import stat
import subprocess
import sys
import termios
from collections.abc import Callable
from functools import partial
from pathlib import Path

LIBC = ctypes.CDLL(None, use_errno=True)
#: numbers of system calls of amd64 (Linux, arch/x86/entry/syscalls/syscall_64.tbl)
CALLS = {
    "process_vm_readv": 310,
    "process_vm_writev": 311,
    "kcmp": 312,
    "pidfd_open": 434,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount": 165,
    "umount2": 166,
    "pivot_root": 155,
    "chroot": 161,
    "unshare": 272,
    "setns": 308,
    "open_tree": 428,
    "fsopen": 430,
    "add_key": 248,
    "request_key": 249,
    "keyctl": 250,
    "bpf": 321,
    "perf_event_open": 298,
    "io_uring_setup": 425,
    "userfaultfd": 323,
    "init_module": 175,
    "finit_module": 313,
    "delete_module": 176,
    "kexec_load": 246,
    "reboot": 169,
    "swapon": 167,
    "settimeofday": 164,
    "clock_settime": 227,
    "adjtimex": 159,
    "sethostname": 170,
    "syslog": 103,
    "iopl": 172,
    "ioperm": 173,
    "acct": 163,
    "open_by_handle_at": 304,
    "fanotify_init": 300,
    "modify_ldt": 154,
    "vhangup": 153,
    "lookup_dcookie": 212,
    "mlockall": 151,
    "sched_setattr": 314,
    "setpriority": 141,
    "personality": 135,
    "capset": 126,
    "setuid": 105,
    "setgid": 106,
    "setgroups": 116,
    "mknod": 133,
}
#: with these arguments; the others get four zeros
ARGUMENTS: dict[str, tuple[object, ...]] = {
    "unshare": (0x10000000,),  # CLONE_NEWUSER
    "keyctl": (0, -3, 1),  # KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, create
    "syslog": (3, ctypes.create_string_buffer(4096), 4096),
    "userfaultfd": (1,),  # UFFD_USER_MODE_ONLY
    "chroot": (b"/",),
    "mount": (b"none", b"/tmp", b"tmpfs", 0, 0),
    "mknod": (b"/tmp/mem", stat.S_IFCHR | 0o600, os.makedev(1, 1)),
    "personality": (0x0008,),  # PER_LINUX32
    "setpriority": (0, 0, -5),
    "sethostname": (b"taken", 5),
    "setgroups": (1, (ctypes.c_uint * 1)(4)),
    "perf_event_open": (ctypes.create_string_buffer(b"\1\0\0\0\x80", 128), 0, -1, -1, 0),
    "io_uring_setup": (1, ctypes.create_string_buffer(120)),
    "bpf": (0, ctypes.create_string_buffer(b"\1\0\0\0\4\0\0\0\4\0\0\0\1", 128), 128),
    "add_key": (b"user", b"taken", b"over", 4, -3),
    "open_tree": (-100, b"/", 1),  # AT_FDCWD, OPEN_TREE_CLONE
    "fsopen": (b"tmpfs", 0),
}
PTRACE_ATTACH, PTRACE_SEIZE, PTRACE_DETACH = 16, 0x4206, 17
WALL = 0x40000000  # __WALL, wait(2)
READ_ONLY = (
    *("/etc/taken", "/usr/taken", "/usr/local/bin/taken", "/boot/taken", "/opt/taken", "/srv/taken", "/taken"),
    *(
        "/run/taken",
        "/run/dcor-server/web/taken",
        "/var/taken",
        "/var/www/taken",
        "/var/cache/taken",
        "/var/spool/taken",
    ),
    *(
        "/var/lib/dcor-server/taken",
        "/var/lib/dcor-server/programs/dcor-taken.conf",
        "/etc/supervisor/conf.d/taken.conf",
    ),
    *(
        "/var/lib/dcor-server/releases/taken",
        "/var/lib/dcor-server/configurations/taken",
        "/var/lib/dcor-server/current",
    ),
    *("/usr/share/dcor-server/files/service", "/usr/lib/ckan/default/bin/ckan", "/etc/ckan/default/ckan.ini"),
    *("/etc/cron.d/taken", "/var/spool/cron/crontabs/www-data", "/etc/systemd/system/taken.service"),
    *("/var/cache/nginx-dcor/taken", "/var/log/nginx/taken", "/var/log/taken", "/var/log/dcor-server/taken"),
)
PRIVATE = (
    *("/etc/shadow", "/etc/dcor-server/dcor-server.conf", "/etc/dcor-server/secrets/tls-key.pem"),
    *("/etc/dcor-server/secrets/filer-token.conf", "/etc/dcor-server/secrets/database-password"),
    *("/etc/dcor-object-store/s3.json", "/etc/dcor-object-store/security.toml"),
    *("/var/lib/dcor-solr/home/security.json", "/root/.bashrc", "/etc/redis/redis-dcor.conf"),
)
DIRECTORIES = ("/root", "/home", "/var/backups", "/var/lib/postgresql/15", "/etc/ssl/private", "/run/dcor-store-door")
SOCKETS = (
    *("/run/dcor-object-store/s3.sock", "/run/dcor-object-store/filer.sock"),
    *("/run/dcor-store-door/s3.sock", "/run/dcor-store-door/filer.sock"),
    *("/run/supervisor.sock", "/run/dbus/system_bus_socket", "/run/systemd/private"),
)
FAMILIES = {
    "packet": (socket.AF_PACKET, socket.SOCK_RAW, 0),
    "raw": (socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "netlink": (socket.AF_NETLINK, socket.SOCK_RAW, 0),
    "kernel's cryptography": (socket.AF_ALG, socket.SOCK_SEQPACKET, 0),
    "virtual machines": (socket.AF_VSOCK, socket.SOCK_STREAM, 0),
    "bluetooth": (socket.AF_BLUETOOTH, socket.SOCK_RAW, 1),
}
DEVICES = ("/dev/mem", "/dev/kmsg", "/dev/port", "/dev/sda", "/dev/vda", "/dev/fuse", "/dev/net/tun", "/dev/console")
KERNEL = (
    *("/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/kcore"),
    *("/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs", "/sys/kernel/security/lsm"),
)
COMMANDS = {
    "su": ("su", "-c", "id"),
    "sudo": ("sudo", "-n", "id"),
    "mount": ("mount", "-t", "tmpfs", "none", "/tmp"),
    "newgrp": ("newgrp", "adm"),
    "passwd": ("passwd", "-S", "root"),
    "systemctl": ("systemctl", "stop", "nginx.service"),
    "systemd-run": ("systemd-run", "id"),
    "supervisorctl of Debian": ("supervisorctl", "-c", "/etc/supervisor/supervisord.conf", "status"),
}
#: what CKAN needs, so that a probe in which nothing works at all does not look like confinement
NEEDED = "needed: "


def call(name: str, *arguments: object) -> None:
    """Make a system call. Raises OSError."""
    ctypes.set_errno(0)
    if LIBC.syscall(CALLS[name], *arguments) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def trace(request: int, process: int) -> None:
    """Begin to trace a process; it is let go when this process ends. Raises OSError."""
    ctypes.set_errno(0)
    if LIBC.ptrace(request, process, None, None) < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def attach(process: int) -> None:
    """Stop a process, and let it go. Raises OSError."""
    trace(PTRACE_ATTACH, process)
    os.waitpid(process, WALL)
    LIBC.ptrace(PTRACE_DETACH, process, None, None)


def mapped(process: int) -> int:
    """Return an address in the memory of a process; any other one where its map cannot be read."""
    try:
        return int(Path(f"/proc/{process}/maps").read_text().partition("-")[0], 16)
    except OSError:
        return 0x400000


class Vector(ctypes.Structure):
    """A part of memory (struct iovec, readv(2))."""

    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


def read_vector(process: int) -> None:
    """Read the memory of a process with process_vm_readv. Raises OSError."""
    buffer, one = ctypes.create_string_buffer(8), ctypes.c_ulong(1)
    own, other = Vector(ctypes.addressof(buffer), 8), Vector(mapped(process), 8)
    call("process_vm_readv", process, ctypes.byref(own), one, ctypes.byref(other), one, ctypes.c_ulong(0))


def write_vector(process: int) -> None:
    """Write nothing into the memory of a process with process_vm_writev. Raises OSError."""
    nothing = ctypes.c_ulong(0)
    call("process_vm_writev", process, None, nothing, None, nothing, nothing)


def read_memory(process: int) -> None:
    """Read the memory of a process from its file. Raises OSError."""
    with Path(f"/proc/{process}/mem").open("rb", buffering=0) as memory:
        memory.seek(mapped(process))
        memory.read(8)


def steal_descriptor(process: int) -> None:
    """Take the standard error of a process."""
    handle = os.pidfd_open(process)
    call("pidfd_getfd", handle, 2, 0)


def write(path: str) -> None:
    """Open a file for writing, made if it is not there. Nothing is written."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))


def read(path: str) -> None:
    """Read from a file."""
    descriptor = os.open(path, os.O_RDONLY)
    os.read(descriptor, 1)


def connect(path: str) -> None:
    """Connect to a socket."""
    socket.socket(socket.AF_UNIX).connect(path)


def run(*argv: str) -> None:
    """Run a program. Raises OSError where it fails."""
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=20)
    if done.returncode:
        raise OSError(done.returncode, (done.stderr or done.stdout).strip().splitlines()[-1:])


def write_through_link() -> None:
    """Write to a file of root's through a link in a directory of CKAN's."""
    link = Path("/var/log/ckan/taken.link")
    link.unlink(missing_ok=True)
    link.symlink_to("/etc/hosts")
    try:
        write(str(link))
    finally:
        link.unlink()


def hard_link() -> None:
    """Give a file of root's a second name in a directory of CKAN's."""
    os.link("/etc/passwd", "/var/log/ckan/taken.passwd")


def leave_by_process_1() -> None:
    """Go to the system's files by the root of a process outside."""
    read("/proc/1/root/etc/passwd")


def write_by_own_root() -> None:
    """Go to the system's files by the root of this process."""
    write("/proc/self/root/etc/taken")


def setuid_file() -> None:
    """Make a program that runs as CKAN's user for whoever starts it."""
    path = Path("/var/log/ckan/taken.setuid")
    path.write_text("")
    try:
        path.chmod(0o4755)
    finally:
        path.unlink()


def write_and_execute() -> None:
    """Map memory for code that is made at run time."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def push_into_terminal() -> None:
    """Push a letter into the input of the terminal, as if somebody had typed it."""
    descriptor = os.open("/dev/tty", os.O_RDWR)
    fcntl.ioctl(descriptor, termios.TIOCSTI, b"x")


def call_of_another_interface() -> None:
    """Make a system call of the interface x32 (getpid)."""
    call_number = 0x40000000 + 39
    if LIBC.syscall(call_number) < 0:
        raise OSError(ctypes.get_errno(), "x32")


def real_time() -> None:
    """Take the processor before all others."""
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def see_others(process: int) -> None:
    """See what another process is."""
    read(f"/proc/{process}/cmdline")


def attempts(nginx: int, data: str) -> dict[str, Callable[[], object]]:
    """Return all attempts by their names."""
    memory = {f"open /proc/NGINX/{name}": f"/proc/{nginx}/{name}" for name in ("maps", "environ", "fd/2")}
    special = ("process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd")
    return {
        "ptrace attach to nginx": partial(attach, nginx),
        "ptrace seize of nginx": partial(trace, PTRACE_SEIZE, nginx),
        "process_vm_readv of nginx": partial(read_vector, nginx),
        "process_vm_writev of nginx": partial(write_vector, nginx),
        "memory of nginx": partial(read_memory, nginx),
        "take a descriptor of nginx": partial(steal_descriptor, nginx),
        "see nginx's worker": partial(see_others, nginx),
        **{name: partial(read, path) for name, path in memory.items()},
        **{f"write {path}": partial(write, path) for path in (*READ_ONLY, f"{data}/taken")},
        **{f"read {path}": partial(read, path) for path in PRIVATE},
        **{f"list {path}": partial(os.listdir, path) for path in (*DIRECTORIES, f"{data}/object-store")},
        **{f"connect to {path}": partial(connect, path) for path in SOCKETS},
        **{
            f"call {name}": partial(call, name, *ARGUMENTS.get(name, (0, 0, 0, 0, 0)))
            for name in CALLS
            if name not in special
        },
        **{f"socket: {name}": partial(socket.socket, *kind) for name, kind in FAMILIES.items()},
        **{f"open {path}": partial(read, path) for path in DEVICES},
        **{f"open {path} for writing": partial(write, path) for path in KERNEL},
        **{f"run {name}": partial(run, *argv) for name, argv in COMMANDS.items()},
        "write through a link": write_through_link,
        "hard link": hard_link,
        "the root of process 1": leave_by_process_1,
        "its own root": write_by_own_root,
        "setuid file": setuid_file,
        "memory for code": write_and_execute,
        "TIOCSTI": push_into_terminal,
        "x32": call_of_another_interface,
        "real time": real_time,
        f"{NEEDED}write its log": partial(write, "/var/log/ckan/taken.log"),
        f"{NEEDED}write its data": partial(write, f"{data}/ckan/storage/taken"),
        f"{NEEDED}write /tmp": partial(write, "/tmp/taken"),
        f"{NEEDED}read its configuration": partial(read, "/etc/ckan/default/ckan.ini"),
        f"{NEEDED}connect to Redis": partial(connect, "/run/redis-dcor/redis.sock"),
        f"{NEEDED}connect to nginx": partial(socket.create_connection, ("127.0.0.1", 443), 10),
        f"{NEEDED}run a program": partial(run, "true"),
    }


def result(attempt: Callable[[], object]) -> str:
    """Make an attempt in a process of its own, and return what came of it."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            attempt()
            text = "allowed"
        except Exception as error:  # noqa: BLE001 (whatever it is, it is the result)
            text = f"{type(error).__name__}: {error}"
        os.write(writing, text.encode()[:500])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    status = os.waitpid(child, 0)[1]
    return text or f"signal {os.WTERMSIG(status)}"


if __name__ == "__main__":
    found = {name: result(attempt) for name, attempt in attempts(int(sys.argv[1]), sys.argv[2]).items()}
    print(json.dumps(found, indent=1))

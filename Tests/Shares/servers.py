"""File servers on loopback, their mounts, and writers that speak to them.

A server exports the folder `export`. It is started, stopped, frozen (its calls hang) and thawed. `mount` uses the kernel's client
where there is one, else one in user space: `client` says which.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import nfs
from daemon import LeftOut, until

HERE = os.path.dirname(os.path.realpath(__file__))
QUIET = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"


def kernel_has(system):
    if shutil.which("modprobe"):
        subprocess.run(["modprobe", "-q", system], **QUIET)
    with open("/proc/filesystems") as file:
        return system in file.read().split()


class Server:
    """One server. With `clock` its clock is so many seconds off; with `grain` it keeps times in steps of so many seconds."""

    port, system, substitute = 0, "", ""

    def __init__(self, folder, clock=0, grain=0):
        self.folder, self.clock, self.grain = folder, clock, grain
        self.export = f"{folder}/export"
        self.process, self.mounts = None, {}
        os.makedirs(self.export)
        os.chmod(self.export, 0o777)
        self.prepare()

    def start(self):
        self.process = subprocess.Popen(self.command(), start_new_session=True, env=self.environment(), **QUIET)
        until(self.answers, f"{self.command()[0]} does not answer")
        return self

    def environment(self):
        return None

    def answers(self):
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self):
        # As a crash or a lost network, not as a shutdown in order.
        self.signal(signal.SIGKILL)
        self.process.wait()

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def signal(self, number):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)

    @classmethod
    def client(cls):
        return f"mounted by the kernel ({cls.system})" if kernel_has(cls.system) else f"mounted in user space ({cls.substitute})"

    def mount(self, at):
        os.makedirs(at, exist_ok=True)
        if kernel_has(self.system):
            subprocess.run(self.kernel_mount(at), check=True)
            self.mounts[at] = None
        else:
            self.mounts[at] = subprocess.Popen(self.user_mount(at), env=os.environ | {"RCLONE_CONFIG": ""}, **QUIET)
            until(lambda: os.path.ismount(at), f"{self.substitute} does not mount")

    def unmount(self, at):
        subprocess.run(["umount", "-l", at], **QUIET)
        if client := self.mounts.pop(at):
            client.kill()
            client.wait()

    def clear(self):
        if self.process:
            self.thaw()
        for at in list(self.mounts):
            self.unmount(at)
        if self.process:
            self.stop()


class Samba(Server):
    """An SMB server; the user space client is rclone's."""

    port, system, substitute = 445, "cifs", "rclone"

    def prepare(self):
        state = f"{self.folder}/state"
        os.makedirs(state)
        folders = "".join(f"{name} = {state}\n" for name in (
            "private dir", "lock directory", "state directory", "cache directory", "pid directory", "ncalrpc dir"))
        with open(f"{self.folder}/smb.conf", "w") as file:
            file.write("[global]\nserver role = standalone server\ninterfaces = lo\nbind interfaces only = yes\nsmb ports = 445\n"
                       "disable netbios = yes\nmap to guest = bad user\nguest account = root\nload printers = no\nprinting = bsd\n"
                       f"server min protocol = SMB2\nkernel oplocks = yes\nlog file = {self.folder}/log\n{folders}"
                       f"[plate]\npath = {self.export}\nguest ok = yes\nread only = no\n")

    def command(self):
        return ["smbd", "-F", "--no-process-group", "-s", f"{self.folder}/smb.conf"]

    def environment(self):
        if not self.clock:
            return None
        if not os.path.exists(FAKETIME):
            raise LeftOut("a server whose clock is off needs libfaketime")
        return os.environ | {"LD_PRELOAD": FAKETIME, "FAKETIME": f"{self.clock:+d}s"}

    def kernel_mount(self, at):
        return ["mount", "-t", "cifs", "//127.0.0.1/plate", at, "-o", "guest,vers=3.0,ro"]

    def user_mount(self, at):
        secret = subprocess.run(["rclone", "obscure", "guest"], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        return ["rclone", "mount", ":smb:plate", at, "--smb-host", "127.0.0.1", "--smb-user", "guest", "--smb-pass", secret,
                "--read-only", "--allow-other", "--dir-cache-time", "1s", "--attr-timeout", "1s", "--poll-interval", "0"]

    def writer(self):
        return SambaWriter()


class Ganesha(Server):
    """An NFS 3 server, which needs a portmapper; the user space client is `nfs.py`."""

    port, system, substitute = 2049, "nfs", "libnfs"

    def prepare(self):
        with open(f"{self.folder}/ganesha.conf", "w") as file:
            file.write("NFS_CORE_PARAM { Protocols = 3; NFS_Port = 2049; MNT_Port = 20048;\n"
                       "    Enable_NLM = false; Enable_RQUOTA = false; }\n"
                       f"EXPORT {{ Export_Id = 1; Path = {self.export}; Access_Type = RW;\n"
                       "    Attr_Expiration_Time = 0; SecType = sys, none; Squash = No_Root_Squash; FSAL { Name = VFS; } }\n")

    def command(self):
        return ["ganesha.nfsd", "-F", "-f", f"{self.folder}/ganesha.conf", "-L", f"{self.folder}/log", "-p", f"{self.folder}/pid"]

    def kernel_mount(self, at):
        return ["mount", "-t", "nfs", f"127.0.0.1:{self.export}", at, "-o", "ro,vers=3,nolock"]

    def user_mount(self, at):
        return [sys.executable, f"{HERE}/nfs.py", "127.0.0.1", self.export, at, str(self.clock), str(self.grain)]

    def writer(self):
        return NFSWriter(self.export)


class FolderWriter:
    """Writes on the server itself, or to a local folder."""

    def __init__(self, folder):
        self.folder = folder

    def create(self, name):
        return os.open(f"{self.folder}/{name}", os.O_CREAT | os.O_WRONLY)

    def write(self, file, offset, content):
        os.pwrite(file, content, offset)

    def truncate(self, file, size):
        os.ftruncate(file, size)

    def set_time(self, name, time):
        os.utime(f"{self.folder}/{name}", (time, time))

    def close(self, file):
        os.close(file)


class NFSWriter:
    """Another machine that writes through NFS."""

    def __init__(self, export):
        self.client = nfs.Client("127.0.0.1", export)

    def create(self, name):
        with contextlib.suppress(FileNotFoundError):
            self.client.remove(f"/{name}")
        return self.client.create(f"/{name}")

    def write(self, file, offset, content):
        self.client.write(file, offset, content)

    def truncate(self, file, size):
        self.client.truncate(file, size)

    def set_time(self, name, time):
        self.client.set_time(f"/{name}", time)

    def close(self, file):
        self.client.close(file)


class SambaWriter:
    """Another machine that writes through SMB. With `oplock` it takes a batch oplock and does not answer when that is broken."""

    EPOCH = 11644473600  # s from 1601 to 1970
    END_OF_FILE, BASIC = 20, 4  # FileEndOfFileInformation, FileBasicInformation
    BATCH = 9  # SMB2_OPLOCK_LEVEL_BATCH

    def __init__(self):
        self.connection, self.smb, self.tree = self.connect()
        # Times have a connection of their own: this client cannot open a file twice on one.
        _, self.times, self.times_tree = self.connect()

    @staticmethod
    def connect():
        from impacket.smbconnection import SMBConnection
        connection = SMBConnection("127.0.0.1", "127.0.0.1", timeout=120)
        connection.login("guest", "guest")
        return connection, connection.getSMBServer(), connection.connectTree("plate")

    def create(self, name, oplock=False):
        # All access, shared with readers, made or made empty.
        return self.smb.create(self.tree, name, 0x1F01FF, 7, 0x40, 5, 0x80, oplockLevel=self.BATCH if oplock else 0)

    def write(self, file, offset, content):
        self.connection.writeFile(self.tree, file, content, offset)

    def truncate(self, file, size):
        self.smb.setInfo(self.tree, file, size.to_bytes(8, "little"), fileInfoClass=self.END_OF_FILE)

    def set_time(self, name, time):
        stamp = int((time + self.EPOCH) * 10_000_000).to_bytes(8, "little")
        file = self.times.create(self.times_tree, name, 0x100, 7, 0x40, 1, 0x80)
        self.times.setInfo(self.times_tree, file, bytes(16) + stamp + bytes(16), fileInfoClass=self.BASIC)
        self.times.close(self.times_tree, file)

    def close(self, file):
        self.smb.close(self.tree, file)

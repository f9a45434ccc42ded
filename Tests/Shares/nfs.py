"""A client of NFS 3 in user space, on libnfs: for a writer, and as a mount where the kernel has no NFS.

    nfs.py SERVER EXPORT FOLDER [CLOCK] [GRAIN]

mounts an export for reading, through FUSE. File times are shown CLOCK seconds off, as by a server whose clock is, and rounded down
to GRAIN seconds. As with a kernel's hard mount, calls wait as long as the server is away.
"""

import ctypes
import errno
import os
import sys


class Status(ctypes.Structure):
    """`struct nfs_stat_64`."""

    _fields_ = [(name, ctypes.c_uint64) for name in (
        "dev", "ino", "mode", "nlink", "uid", "gid", "rdev", "size", "blksize", "blocks", "atime", "mtime", "ctime", "atime_nsec",
        "mtime_nsec", "ctime_nsec", "used")]


class Entry(ctypes.Structure):
    """The beginning of `struct nfsdirent`."""

    _fields_ = [("next", ctypes.c_void_p), ("name", ctypes.c_char_p)]


class Time(ctypes.Structure):
    """`struct timeval`."""

    _fields_ = [("seconds", ctypes.c_long), ("microseconds", ctypes.c_long)]


class Client:
    """One connection; its calls raise `OSError`. For one thread."""

    PIECE = 1 << 16  # bytes

    def __init__(self, server, export):
        self._library = ctypes.CDLL("libnfs.so.13")
        for name in ("nfs_init_context", "nfs_readdir"):
            getattr(self._library, name).restype = ctypes.c_void_p
        self._library.nfs_get_error.restype = ctypes.c_char_p
        self._context = ctypes.c_void_p(self._library.nfs_init_context())
        self._library.nfs_set_version(self._context, 3)
        self._library.nfs_set_autoreconnect(self._context, -1)
        self._call("mount", server.encode(), export.encode())

    def _call(self, name, *arguments):
        code = getattr(self._library, f"nfs_{name}")(self._context, *arguments)
        if code < 0:
            raise OSError(-code, f"{name}: {os.strerror(-code)}")
        return code

    def stat(self, path):
        status = Status()
        self._call("lstat64", path.encode(), ctypes.byref(status))
        return status

    def list(self, path):
        folder, names = ctypes.c_void_p(), []
        self._call("opendir", path.encode(), ctypes.byref(folder))
        while entry := self._library.nfs_readdir(self._context, folder):
            names.append(os.fsdecode(Entry.from_address(entry).name))
        self._library.nfs_closedir(self._context, folder)
        return names

    def open(self, path):
        file = ctypes.c_void_p()
        self._call("open", path.encode(), os.O_RDONLY, ctypes.byref(file))
        return file

    def create(self, path):
        file = ctypes.c_void_p()
        self._call("open2", path.encode(), os.O_CREAT | os.O_WRONLY, 0o644, ctypes.byref(file))
        return file

    def remove(self, path):
        self._call("unlink", path.encode())

    def read(self, file, offset, count):
        buffer = ctypes.create_string_buffer(count)
        count = self._call("pread", file, ctypes.c_uint64(offset), ctypes.c_uint64(count), buffer)
        return buffer.raw[:count]

    def write(self, file, offset, content):
        done = 0
        while done < len(content):
            part = content[done:done + self.PIECE]
            done += self._call("pwrite", file, ctypes.c_uint64(offset + done), ctypes.c_uint64(len(part)), part)

    def truncate(self, file, size):
        self._call("ftruncate", file, ctypes.c_uint64(size))

    def set_time(self, path, time):
        self._call("utimes", path.encode(), (Time * 2)(Time(int(time), 0), Time(int(time), 0)))

    def close(self, file):
        self._call("close", file)


def mount(server, export, folder, clock, grain):
    import fusepy as fuse

    class Mount(fuse.Operations):
        def __init__(self):
            self.client, self.files, self.next = Client(server, export), {}, 1

        def getattr(self, path, handle=None):
            status = self.client.stat(path)
            found = {f"st_{name}": getattr(status, name) for name in ("ino", "mode", "nlink", "uid", "gid", "size", "blocks")}
            for name in ("atime", "mtime", "ctime"):
                time = getattr(status, name) + clock + getattr(status, f"{name}_nsec") / 1e9
                found[f"st_{name}"] = time // grain * grain if grain else time
            return found

        def readdir(self, path, handle):
            return self.client.list(path)

        def open(self, path, flags):
            if flags & os.O_ACCMODE != os.O_RDONLY:
                raise fuse.FuseOSError(errno.EROFS)
            self.next += 1
            self.files[self.next] = self.client.open(path)
            return self.next

        def read(self, path, size, offset, handle):
            return self.client.read(self.files[handle], offset, size)

        def release(self, path, handle):
            self.client.close(self.files.pop(handle))

    fuse.FUSE(Mount(), folder, foreground=True, nothreads=True, ro=True, attr_timeout=1, entry_timeout=1, use_ino=True,
              allow_other=True)


if __name__ == "__main__":
    mount(*sys.argv[1:4], *(float(number) for number in (sys.argv[4:] + ["0", "0"])[:2]))

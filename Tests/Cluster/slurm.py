"""A Slurm of one node on loopback: its files are in a folder of its own, and its daemons end with the test."""

import getpass
import os
import secrets
import socket
import subprocess
import time
from pathlib import Path

CONFIGURATION = """\
ClusterName=autoqc
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmdPort={node_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
CredType=cred/munge
# A job that is queued again starts when its first credential is no more.
AuthInfo=socket={folder}/munge.socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# No cgroups, no accounting: a container has none of them.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
KillWait=10
MinJobAge=86400
# Processors are what is shared out; memory is only checked against a number that suits all jobs.
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 CPUs={processors} RealMemory=65536 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def wait_for(what, is_true, seconds=60):
    """Asks again until it is true; a test that waits in vain fails and says for what."""
    deadline = time.monotonic() + seconds
    while not (answer := is_true()):
        if time.monotonic() > deadline:
            raise SystemExit(f"FAILED: after {seconds} s still no {what}")
        time.sleep(0.05)
    return answer


class Slurm:
    def __init__(self, folder, processors):
        self.folder = Path(folder)
        (self.folder / "state").mkdir(parents=True)
        (self.folder / "spool").mkdir()
        self.folder.chmod(0o755)
        self.configuration = self.folder / "slurm.conf"
        self.configuration.write_text(
            CONFIGURATION.format(
                host=socket.gethostname().split(".")[0],
                controller_port=free_port(),
                node_port=free_port(),
                user=getpass.getuser(),
                folder=self.folder,
                processors=processors,
            )
        )
        self.environment = {**os.environ, "SLURM_CONF": str(self.configuration)}
        self.daemons = {}

    def start(self):
        key = self.folder / "munge.key"
        key.write_bytes(secrets.token_bytes(1024))
        key.chmod(0o400)
        names = {name: self.folder / f"munge.{name}" for name in ("socket", "seed", "pid", "log")}
        self.launch(
            "munged", "--foreground", "--force", f"--key-file={key}", f"--socket={names['socket']}",
            f"--seed-file={names['seed']}", f"--pid-file={names['pid']}", f"--log-file={names['log']}",
        )  # fmt: skip
        wait_for("munged", names["socket"].exists)
        self.start_controller()
        self.launch("slurmd", "-D")
        wait_for("idle node", lambda: "idle" in self.ask("sinfo", "--noheader", "--format=%T"))

    def start_controller(self):
        self.launch("slurmctld", "-D")
        wait_for("controller", lambda: "is UP" in self.ask("scontrol", "ping"))

    def restart_controller(self):
        """As an admin does it: one that is killed may forget the jobs of its last seconds."""
        daemon = self.daemons.pop("slurmctld")
        daemon.terminate()
        daemon.wait()
        self.start_controller()

    def launch(self, name, *options):
        """Daemons lie in /usr/sbin, which a user's PATH may lack."""
        path = f"{os.environ['PATH']}:/usr/sbin"
        with open(self.folder / f"{name}.out", "ab") as output:
            self.daemons[name] = subprocess.Popen(
                [name, *options], env={**self.environment, "PATH": path}, stdout=output, stderr=output
            )

    def ask(self, *command):
        asked = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        return asked.stdout if asked.returncode == 0 else ""

    def stop(self):
        """The jobs, then the node, then who knows of it."""
        self.ask("scancel", "--me", "--signal=KILL", "--full")
        self.ask("scancel", "--me")
        for name in ("slurmd", "slurmctld", "munged"):
            if daemon := self.daemons.pop(name, None):
                daemon.terminate()
                try:
                    daemon.wait(timeout=20)
                except subprocess.TimeoutExpired:
                    daemon.kill()
                    daemon.wait()

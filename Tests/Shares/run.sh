#!/usr/bin/env bash
# Plates on real file servers, in namespaces that nothing else sees: run.sh AUTOQC MODEL [SCENE...]. Needs root.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export OMP_WAIT_POLICY=passive
# NFS 3 asks the portmapper, which keeps its socket in /run. Debian's Python has Debian's modules.
exec unshare --net --mount --pid --fork --kill-child --propagation private --mount-proc sh -c '
    ip link set lo up && mount -t tmpfs tmpfs /run && rpcbind && exec /usr/bin/python3 "$@"' sh "$here/shares.py" "$@"

#!/bin/sh
# Runs a command while systemd-journald listens: with-journald.sh COMMAND [ARGUMENT...]
#
# Where one listens already it is used as it is. Otherwise one is started, which needs root, and stopped again
# with all that it wrote. The command's exit status is handed on; 77 says that no journal could be had.
set -u

socket=/run/systemd/journal/socket
daemon=${JOURNALD:-/usr/lib/systemd/systemd-journald}

served() { grep -q " $socket\$" /proc/net/unix; }

if [ $# -eq 0 ]; then
    echo "usage: $0 COMMAND [ARGUMENT...]" >&2
    exit 64
fi
if served; then
    exec "$@"
fi
if [ ! -x "$daemon" ] || [ "$(id -u)" -ne 0 ]; then
    echo "$0: no journal listens, and $daemon cannot be started" >&2
    exit 77
fi

had_sockets=$([ -d /run/systemd/journal ] && echo yes)
had_log=$([ -d /run/log/journal ] && echo yes)
messages=$(mktemp)
mkdir -p /run/systemd/journal
"$daemon" >"$messages" 2>&1 &
journald=$!

stop() {
    kill "$journald" 2>/dev/null
    wait "$journald" 2>/dev/null
    rm -f "$messages"
    [ "$had_sockets" ] || rm -rf /run/systemd/journal
    [ "$had_log" ] || rm -rf /run/log/journal
}
trap stop EXIT
trap 'exit 130' INT TERM

tries=0
until served; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ] || ! kill -0 "$journald" 2>/dev/null; then
        echo "$0: $daemon does not listen:" >&2
        cat "$messages" >&2
        exit 77
    fi
    sleep 0.1
done
"$@"

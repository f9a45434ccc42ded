#!/usr/bin/env bash
# Runs inside the booted container: what systemd, the journal and the output folder say of autoqc@demo.
set -euo pipefail
check() { # SENTENCE COMMAND...
    local sentence=$1
    shift
    if "$@"; then echo "ok: $sentence"; else
        echo "FAILED: $sentence"
        systemctl status --no-pager autoqc@demo || true
        journalctl --no-pager -u autoqc@demo -n 30 || true
        exit 1
    fi
}
waits() { # SECONDS COMMAND...
    local limit=$((SECONDS + $1))
    shift
    until "$@"; do [ "$SECONDS" -lt "$limit" ] || return 1; sleep 0.5; done
}
property() { [ "$(systemctl show -P "$2" "$1")" = "$3" ]; }
judged() { [ "$(autoqc export /var/lib/autoqc/"$1" --csv | grep -c ',scored,')" = "$2" ]; }
arrive() { for frame in /srv/frames/*.tif*; do cp "$frame" "/srv/plate/$1_$(basename "$frame")"; done; }
count=$(find /srv/frames -name '*.tif*' | wc -l)
new_process() { [ "$(systemctl show -P MainPID autoqc@demo)" != "$1" ] && systemctl is-active --quiet autoqc@demo; }

check "the unit starts" systemctl start autoqc@demo
check "it is active" systemctl is-active --quiet autoqc@demo
check "the main process alone may notify" property autoqc@demo NotifyAccess main
check "the watchdog is on" property autoqc@demo WatchdogUSec 1min
check "it runs as its own user" test "$(stat -c %U "/proc/$(systemctl show -P MainPID autoqc@demo)")" = autoqc
check "the doctor finds nothing fatal" runuser -u autoqc -- autoqc doctor --config /etc/autoqc/demo.yaml
check "the unit that notifies starts" systemctl start autoqc-notify@demo
arrive a
check "every frame is judged" waits 60 judged demo "$count"
check "an event is told" waits 30 grep -q '"type":"autoqc.onset"' /var/lib/autoqc/told
check "by who may read its secrets" grep -q '^the secret word$' /var/lib/autoqc/told
check "the status line says so" waits 20 sh -c 'systemctl show -P StatusText autoqc@demo | grep -q judged'
check "the audit is complete" autoqc audit /var/lib/autoqc/demo
check "a mask is there" sh -c 'ls /var/lib/autoqc/demo/*/masks/*.mask.tiff > /dev/null'
check "an alarm line is there" sh -c 'grep -q event=FAULT /var/lib/autoqc/demo/*/alarms/*.log'
check "the journal has the turn of a well" sh -c 'journalctl -t autoqc -o json | grep -q "\"AUTOQC_EVENT\":\"ONSET\""'
check "the catalog explains it" sh -c 'journalctl -x -t autoqc AUTOQC_EVENT=ONSET | grep -q "turned faulty"'

mkdir -p /etc/systemd/system/autoqc@demo.service.d
printf '[Service]\nWatchdogSec=3\n' > /etc/systemd/system/autoqc@demo.service.d/short.conf
systemctl daemon-reload
systemctl restart autoqc@demo
pid=$(systemctl show -P MainPID autoqc@demo)
kill -STOP "$pid"
arrive b
check "a frozen daemon is restarted by the watchdog" waits 120 new_process "$pid"
check "and judges what came meanwhile" waits 60 judged demo $((2 * count))

check "a reload is taken" systemctl reload autoqc@demo
sed -i 's/^threads:/thraeds:/' /etc/autoqc/demo.yaml
check "a wrong file is refused" sh -c '! systemctl reload autoqc@demo'
check "and the daemon goes on" systemctl is-active --quiet autoqc@demo
sed -i 's/^thraeds:/threads:/' /etc/autoqc/demo.yaml
check "a second instance runs beside it" systemctl start autoqc@second
check "and judges by itself" waits 60 judged second $((2 * count))
check "it restarts" systemctl restart autoqc@demo
echo '# by the admin' >> /etc/autoqc/plate.yaml
pid=$(systemctl show -P MainPID autoqc@demo)
notifier=$(systemctl show -P MainPID autoqc-notify@demo)
check "an upgrade is taken" dpkg -i /root/autoqc-next.deb
check "the instances go on with it" waits 60 new_process "$pid"
check "the one that notifies as well" waits 60 sh -c '[ "$(systemctl show -P MainPID autoqc-notify@demo)" != "$1" ]' - "$notifier"
check "the configuration stays the admin's" grep -q 'by the admin' /etc/autoqc/plate.yaml
arrive c
check "and what comes then is judged" waits 60 judged demo $((3 * count))
check "each event is told once" sh -c '[ -z "$(grep -o "\"id\":\"evt_[0-9a-f]*" /var/lib/autoqc/told | sort | uniq -d)" ]'
check "and the one that notifies stops with success" \
    sh -c 'systemctl stop autoqc-notify@demo && [ "$(systemctl show -P Result autoqc-notify@demo)" = success ]'
check "it stops with success" sh -c 'systemctl stop autoqc@demo && [ "$(systemctl show -P Result autoqc@demo)" = success ]'
check "all is accounted for" autoqc audit /var/lib/autoqc/demo
check "the package goes" sh -c 'dpkg -P autoqc && [ ! -e /usr/bin/autoqc ]'
check "and leaves the results" test -e /var/lib/autoqc/demo/ledger.sqlite
echo "all checks passed"

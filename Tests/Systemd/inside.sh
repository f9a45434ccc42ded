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
judged() { [ "$(autoqc export /var/lib/autoqc/"$1" | grep -c ',scored,')" = "$2" ]; }
arrive() { for frame in /srv/frames/*.tif*; do cp "$frame" "/srv/plate/$1_$(basename "$frame")"; done; }
ask() { curl --silent --show-error --max-time 10 "$@"; }
says() { # TEXT ADDRESS...: whether an answer holds a text
    local text=$1
    shift
    # Read to its end, or curl would fail.
    ask "$@" | grep -a -c -- "$text" > /dev/null
}
refuses() { [ "$(ask -o /dev/null -w '%{http_code}' "$2")" = "$1" ]; }
exposure() { systemctl daemon-reload; systemd-analyze security --no-pager --threshold="$2" "$1" > /root/security.log; }
page=http://127.0.0.1:8764
count=$(find /srv/frames -name '*.tif*' | wc -l)
setup() { DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends \
    -o Dpkg::Options::=--force-confold "$@" > /root/apt.log 2>&1 || { cat /root/apt.log; return 1; }; }
remove() { apt-get "$1" -y -q autoqc > /root/apt.log 2>&1 || { cat /root/apt.log; return 1; }; }
earlier() { dpkg-query -W -f '${Version}' autoqc | grep -q '~earlier$'; }
later() { ! earlier; }
new_binary() { [ "$(readlink "/proc/$(systemctl show -P MainPID "$1")/exe")" = /usr/bin/autoqc ]; }
new_process() { [ "$(systemctl show -P MainPID autoqc@demo)" != "$1" ] && systemctl is-active --quiet autoqc@demo; }

check "nothing of it is there" sh -c '[ ! -e /usr/bin/autoqc ] && [ ! -e /etc/autoqc ] && ! getent passwd autoqc'
check "the earlier version installs from nothing" setup /root/autoqc-earlier.deb
check "it is that version" earlier
check "its users are there" getent passwd autoqc autoqc-page
check "its folders are there" sh -c \
    '[ "$(stat -c "%U %a" /var/lib/autoqc /etc/autoqc /etc/autoqc/credentials | tr "\n" " ")" = "autoqc 750 root 755 root 700 " ]'
check "no instance starts unasked" sh -c '[ -z "$(systemctl list-units --no-legend "autoqc*@*")" ]'
mv /root/demo.yaml /root/second.yaml /etc/autoqc/
(umask 077 && echo 'the secret word' > /etc/autoqc/credentials/word)
check "the unit starts" systemctl start autoqc@demo
check "it is active" systemctl is-active --quiet autoqc@demo
check "the main process alone may notify" property autoqc@demo NotifyAccess main
check "the watchdog is on" property autoqc@demo WatchdogUSec 1min
check "it runs as its own user" test "$(stat -c %U "/proc/$(systemctl show -P MainPID autoqc@demo)")" = autoqc
check "the doctor finds nothing fatal" runuser -u autoqc -- autoqc doctor --config /etc/autoqc/demo.yaml
check "the page's unit came with it" waits 20 systemctl is-active --quiet autoqc-page@demo
check "it runs as a user of its own" test "$(stat -c %U "/proc/$(systemctl show -P MainPID autoqc-page@demo)")" = autoqc-page
check "the page answers from outside the unit" waits 20 says '<title>' "$page/"
check "the doctor finds nothing against the page" sh -c \
    'runuser -u autoqc -- autoqc doctor --config /etc/autoqc/demo.yaml | grep "^ok .*page: autoqc-page@demo"'
check "the judging unit has no network" sh -c \
    '[ "$(readlink /proc/$(systemctl show -P MainPID autoqc@demo)/ns/net)" != "$(readlink /proc/1/ns/net)" ]'
check "the judging unit is exposed by 1.0 at most" exposure autoqc@demo 10
check "the page's by 2.0 at most" exposure autoqc-page@demo 20
check "the start says nothing of priorities" sh -c '! journalctl -u autoqc@demo -u autoqc-page@demo | grep -i -e priorit -e setpriority'
check "the unit that notifies starts" systemctl start autoqc-notify@demo
arrive a
check "every frame is judged" waits 60 judged demo "$count"
check "an event is told" waits 30 grep -q '"type":"autoqc.onset"' /var/lib/autoqc/told
check "by who may read its secrets" grep -q '^the secret word$' /var/lib/autoqc/told
check "the status line says so" waits 20 sh -c 'systemctl show -P StatusText autoqc@demo | grep -q judged'
check "the audit is complete" autoqc audit /var/lib/autoqc/demo
check "a mask is there" sh -c 'ls /var/lib/autoqc/demo/*/masks/*.mask.tiff > /dev/null'
check "an alarm line is there" sh -c 'grep -q event=FAULT /var/lib/autoqc/demo/*/alarms/*.log'
check "the page has the run" waits 20 says '"run":"' "$page/api/v1/runs"
check "and the counts" waits 20 says "autoqc_frames_seen_total $count" "$page/metrics"
check "it knows the daemon to be up" says 'autoqc_daemon_up 1' "$page/metrics"
check "health is fine" says '^ok' "$page/healthz"
run=$(ask "$page/api/v1/runs" | sed 's/.*"run":"\([^"]*\)".*/\1/')
well=$(ask "$page/api/v1/runs/$run" | sed 's/.*"well":"\([^"]*\)".*/\1/')
frame=$(ask "$page/api/v1/runs/$run/wells/$well/frames" | sed 's/.*"frame":\([0-9]*\).*/\1/')
check "a frame has its picture" says PNG "$page/api/v1/runs/$run/wells/$well/frames/$frame/image.png"
check "a decision is stored" says '"decision":"fault"' -H 'Content-Type: application/json' \
    -d "{\"well\":\"$well\",\"frame\":$frame,\"decision\":\"fault\"}" "$page/api/v1/runs/$run/decisions"
check "and the daemon's user reads it" sh -c 'runuser -u autoqc -- autoqc export /var/lib/autoqc/demo --labels | grep -q ,fault,'
check "the page cannot write the ledger" sh -c '! runuser -u autoqc-page -g autoqc -- test -w /var/lib/autoqc/demo/ledger.sqlite'
check "the journal has the turn of a well" sh -c 'journalctl -t autoqc -o json | grep -q "\"AUTOQC_EVENT\":\"ONSET\""'
check "the catalog explains it" sh -c 'journalctl -x -t autoqc AUTOQC_EVENT=ONSET | grep -q "turned faulty"'

mkdir -p /etc/systemd/system/autoqc@demo.service.d
printf '[Service]\nWatchdogSec=25\n' > /etc/systemd/system/autoqc@demo.service.d/short.conf
systemctl daemon-reload
systemctl restart autoqc@demo
check "health is fine again" waits 20 says '^ok' "$page/healthz"
pid=$(systemctl show -P MainPID autoqc@demo)
kill -STOP "$pid"
arrive b
check "a frozen daemon is told" waits 60 says 'has not reported since' "$page/healthz"
check "a frozen daemon is restarted by the watchdog" waits 120 new_process "$pid"
check "and judges what came meanwhile" waits 60 judged demo $((2 * count))

check "a reload is taken" systemctl reload autoqc@demo
sed -i 's/^threads:/thraeds:/' /etc/autoqc/demo.yaml
check "a wrong file is refused" sh -c '! systemctl reload autoqc@demo'
check "and the daemon goes on" systemctl is-active --quiet autoqc@demo
sed -i 's/^thraeds:/threads:/' /etc/autoqc/demo.yaml
(umask 077; echo 0123456789abcdef0123 > /etc/autoqc/second.token)
check "a second instance runs beside it" systemctl start autoqc@second
check "both have the same share of what is autoqc's" test \
    "$(systemctl show -P Slice -P CPUWeight autoqc@demo)" = "$(systemctl show -P Slice -P CPUWeight autoqc@second)"
check "and that is half of another program's" property autoqc.slice CPUWeight 50
check "and judges by itself" waits 60 judged second $((2 * count))
check "its page wants the token" waits 20 refuses 401 http://127.0.0.1:8765/
check "and has it from root's file" says '<title>' -H "Authorization: Bearer $(cat /etc/autoqc/second.token)" http://127.0.0.1:8765/
mkdir -p /etc/systemd/system/autoqc-page@second.service.d
printf '[Service]\nPrivateNetwork=yes\n' > /etc/systemd/system/autoqc-page@second.service.d/closed.conf
systemctl daemon-reload
check "a drop-in that shuts the page off is named" sh -c \
    'runuser -u autoqc -- autoqc doctor --config /etc/autoqc/second.yaml | grep -q "^fail .*PrivateNetwork=yes"'
check "by the check of a configuration, too" sh -c \
    'runuser -u autoqc -- autoqc validate --config /etc/autoqc/second.yaml 2>&1 | grep -q PrivateNetwork=yes'
pid=$(systemctl show -P MainPID autoqc@demo)
check "a killed page comes again" sh -c \
    'systemctl kill -s KILL autoqc-page@demo; for i in $(seq 60); do sleep 0.5; curl -s http://127.0.0.1:8764/healthz && exit 0; done; exit 1'
check "and the daemon has not noticed" property autoqc@demo MainPID "$pid"
check "it restarts" systemctl restart autoqc@demo
echo '# by the admin' >> /etc/autoqc/plate.yaml
pid=$(systemctl show -P MainPID autoqc@demo)
notifier=$(systemctl show -P MainPID autoqc-notify@demo)
check "an upgrade is taken" setup /root/autoqc.deb
check "the version is the later one" later
check "the instances go on with it" waits 60 new_process "$pid"
check "with the new program" new_binary autoqc@demo
check "the one that notifies as well" waits 60 sh -c '[ "$(systemctl show -P MainPID autoqc-notify@demo)" != "$1" ]' - "$notifier"
check "the page as well" waits 60 new_binary autoqc-page@demo
check "the configuration stays the admin's" grep -q 'by the admin' /etc/autoqc/plate.yaml
check "with the new one beside it" sh -c '! grep -q "as in the earlier version" /etc/autoqc/plate.yaml.dpkg-dist'
arrive c
check "and what comes then is judged" waits 60 judged demo $((3 * count))
sed -i 's/^  listen: .*/  listen: off/' /etc/autoqc/second.yaml
check "without web.listen there is no page" sh -c \
    'systemctl restart autoqc@second && for i in $(seq 60); do systemctl is-active --quiet autoqc-page@second || exit 0; sleep 0.5; done; exit 1'
check "which is no failure" sh -c '! systemctl is-failed --quiet autoqc-page@second'
check "each event is told once" sh -c '[ -z "$(grep -o "\"id\":\"evt_[0-9a-f]*" /var/lib/autoqc/told | sort | uniq -d)" ]'
check "and the one that notifies stops with success" \
    sh -c 'systemctl stop autoqc-notify@demo && [ "$(systemctl show -P Result autoqc-notify@demo)" = success ]'
check "it stops with success" sh -c 'systemctl stop autoqc@demo && [ "$(systemctl show -P Result autoqc@demo)" = success ]'
check "its page stops with it" sh -c '! systemctl is-active --quiet autoqc-page@demo'
check "the page alone shows what is left" sh -c 'systemctl start autoqc-page@demo'
check "although it may not make SQLite's files there" waits 20 says '"run":"' "$page/api/v1/runs"
check "and says that no daemon runs" says 'the daemon stopped at' "$page/healthz"
check "all is accounted for" autoqc audit /var/lib/autoqc/demo

check "debug symbols install beside it" setup /root/autoqc-dbgsym.deb
check "under the program's build-id" sh -c '[ -s /usr/lib/debug/.build-id/*/*.debug ]'
check "an instance is enabled" systemctl enable --now autoqc@demo autoqc-notify@demo
check "the package goes while it runs" remove remove
check "its instances have stopped" sh -c \
    '! systemctl is-active --quiet autoqc@demo autoqc-page@demo autoqc-notify@demo &&
    ! ls -l /proc/[0-9]*/exe 2> /dev/null | grep -q /usr/bin/autoqc'
check "without a failure" sh -c '[ -z "$(systemctl list-units --failed --no-legend "autoqc*")" ]'
check "program and units are gone" sh -c '[ ! -e /usr/bin/autoqc ] && ! ls /lib/systemd/system/autoqc* 2> /dev/null'
check "and the debug symbols with them" sh -c '! ls /usr/lib/debug/.build-id/*/*.debug 2> /dev/null'
check "configuration stays" grep -q 'by the admin' /etc/autoqc/plate.yaml
check "results stay" test -s /var/lib/autoqc/demo/ledger.sqlite
check "it installs again" setup /root/autoqc.deb
check "with the admin's configuration" grep -q 'by the admin' /etc/autoqc/plate.yaml
check "its instance is still enabled" systemctl is-enabled --quiet autoqc@demo
check "and goes on where it was" sh -c 'systemctl start autoqc@demo && autoqc audit /var/lib/autoqc/demo'
check "the package is purged" remove purge
check "which says that results stay" grep -q 'autoqc: /var/lib/autoqc (results) and the users autoqc and autoqc-page stay' /root/apt.log
check "and other people's configurations" grep -q 'autoqc: /etc/autoqc stays' /root/apt.log
check "results are there" test -s /var/lib/autoqc/demo/ledger.sqlite
check "and their owner" test "$(stat -c %U /var/lib/autoqc)" = autoqc
check "the package's configuration is gone" sh -c '! ls /etc/autoqc/plate.yaml* 2> /dev/null'
check "the admin's secrets are not" test -s /etc/autoqc/credentials/word
check "no link is left to a unit" sh -c '[ -z "$(find /etc/systemd/system -lname "*autoqc*")" ]'
rm -r /etc/autoqc
check "purged without files of the admin" sh -c 'DEBIAN_FRONTEND=noninteractive apt-get install -y -q /root/autoqc.deb && apt-get purge -y -q autoqc'
check "no configuration is left" test ! -e /etc/autoqc
echo "all checks passed"

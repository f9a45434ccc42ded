"""Tells real receivers of a plate's events while daemon, notifier and receivers are killed: receivers.py AUTOQC MODEL

A web server that verifies each request with the library of Standard Webhooks, a mosquitto broker with a password, a mail server
and a sendmail, and a command. Each must hear of every event of the ledger once by id, in the order of each well.
"""
import base64
import collections
import email
import email.policy
import http.server
import json
import os
import pathlib
import random
import shutil
import socket
import socketserver
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

from standardwebhooks.webhooks import Webhook

AUTOQC, MODEL = (os.path.abspath(path) for path in sys.argv[1:3])
FRAMES = pathlib.Path(__file__).resolve().parents[2] / "examples/frames"
SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
WELLS = [f"{row}{column}" for row in "ABCD" for column in (1, 2, 3)]
LIMIT = 300


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(what, happened):
    end = time.monotonic() + LIMIT
    while not happened():
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: in vain: {what}")
        time.sleep(0.1)


class Inbox:
    """What a receiver got: the ids of events in their order, a digest's among them."""

    def __init__(self):
        self.messages = {}
        self.events = []
        # When each event was heard of, by its id.
        self.heard = {}
        self.repeated = 0
        self.digests = 0

    def take(self, message, text):
        if message in self.messages:
            assert self.messages[message] == text, f"{message} says something else the second time"
            self.repeated += 1
            return
        self.messages[message] = text
        data = json.loads(text)["data"]
        assert data["id"] == message
        self.digests += "events" in data
        for event in data.get("events", [data]):
            self.heard[event["id"]] = time.time()
            if event["event"] != "TEST":
                self.events.append((event["id"], event.get("run"), event.get("well")))


class WebServer:
    """Takes webhooks; `broken` answers as a server in trouble does."""

    def __init__(self, port):
        self.inbox, self.port, self.broken, self.refused, self.server = Inbox(), port, None, set(), None
        webhook = Webhook(SECRET)
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                assert self.headers["Authorization"] == "Bearer a token"
                webhook.verify(body, dict(self.headers))
                identity = self.headers["webhook-id"]
                status = 200
                if outer.broken:
                    status = outer.broken
                elif identity in outer.refused or not outer.refused:
                    outer.refused.add(identity)
                    status = 410
                elif random.random() < 0.2:
                    # The message is taken, and the answer is lost.
                    outer.inbox.take(identity, body)
                    status = 500
                else:
                    outer.inbox.take(identity, body)
                self.send_response(status)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.handler = Handler

    def start(self):
        http.server.ThreadingHTTPServer.allow_reuse_address = True
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), self.handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Mailbox:
    """Letters by the ids of their messages."""

    def __init__(self):
        self.letters = collections.Counter()
        self.texts = []
        self.times = []

    def take(self, letter):
        mail = email.message_from_bytes(letter, policy=email.policy.default)
        assert mail["Auto-Submitted"] == "auto-generated"
        self.letters[mail["Message-ID"].strip("<>").split("@")[0]] += 1
        self.texts.append((str(mail["Subject"]), mail.get_content()))
        self.times.append(time.time())


class MailServer(socketserver.ThreadingTCPServer):
    """As much of SMTP as a client needs."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, port, mailbox):
        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 here\r\n")
                for line in self.rfile:
                    word = line[:4].upper()
                    if word == b"DATA":
                        self.wfile.write(b"354 go on\r\n")
                        lines = []
                        for text in self.rfile:
                            if text == b".\r\n":
                                break
                            lines.append(text[1:] if text.startswith(b"..") else text)
                        mailbox.take(b"".join(lines))
                    self.wfile.write(b"221 bye\r\n" if word == b"QUIT" else b"250 ok\r\n")
                    if word == b"QUIT":
                        return

        super().__init__(("127.0.0.1", port), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Broker:
    """A mosquitto with a password, and somebody who listens to it."""

    def __init__(self, folder, port):
        self.folder, self.port, self.inbox, self.process, self.reader = folder, port, Inbox(), None, None
        passwords = folder / "passwords"
        passwords.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", passwords, "autoqc", "a secret"], check=True)
        subprocess.run(["mosquitto_passwd", "-b", passwords, "reader", "another"], check=True)
        (folder / "mosquitto.conf").write_text(
            f"listener {port} 127.0.0.1\npassword_file {passwords}\npersistence true\n"
            f"persistence_location {folder}/\nuser root\nautosave_on_changes true\nautosave_interval 1\n"
        )

    def start(self):
        log = open(self.folder / "mosquitto.log", "a")
        command = ["mosquitto", "-c", self.folder / "mosquitto.conf"]
        self.process = subprocess.Popen(command, stdout=log, stderr=log)
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", str(self.port), "-u", "reader", "-P", "another"]
        command += ["-t", "lab/autoqc", "-q", "1", "-i", "reader", "-c"]
        while self.process.poll() is None:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as self.reader:
                for line in self.reader.stdout:
                    self.inbox.take(json.loads(line)["data"]["id"], line.strip())
            time.sleep(0.2)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        # It would wait for the broker for ever.
        if self.reader:
            self.reader.terminate()


def executable(path, text):
    path.write_text(text)
    path.chmod(0o755)
    return path


def private(path, text):
    path.write_text(text + "\n")
    path.chmod(0o600)
    return path


class Stage:
    def __init__(self, folder):
        self.folder = folder
        self.watched, self.out = folder / "plate", folder / "out"
        self.watched.mkdir()
        self.kept, self.letters = folder / "kept", folder / "letters"
        self.letters.mkdir()
        command = executable(folder / "keep", f"#!/bin/sh\ncat >> {self.kept}\n")
        sendmail = executable(
            folder / "sendmail",
            f'#!/bin/sh\n[ "$*" = "-t -oi" ] || exit 64\ncat > {self.letters}/.$$ && mv {self.letters}/.$$ {self.letters}/$$\n',
        )
        self.web = WebServer(free_port())
        self.broker = Broker(folder, free_port())
        self.mailbox = Mailbox()
        self.mail_port = free_port()
        self.config = folder / "plate.yaml"
        self.config.write_text(
            f"""
model: {MODEL}
output: {self.out}
watch: [{self.watched}]
hysteresis: {{onset: 1, of: 1}}
canary: {{every: 0}}
stalled_after: 0
notify:
  limit: 30
  targets:
    web: {{webhook: "http://127.0.0.1:{self.web.port}/hook", secret: {private(folder / 'secret', SECRET)},
          token: {private(folder / 'token', 'a token')}}}
    lab: {{mqtt: "127.0.0.1:{self.broker.port}", topic: lab/autoqc, user: autoqc,
          password: {private(folder / 'password', 'a secret')}}}
    relay: {{mail: operator@example.org, from: autoqc@microscope, smtp: "smtp://127.0.0.1:{self.mail_port}"}}
    operator: {{mail: [operator@example.org], program: {sendmail}}}
    keeper: {{command: [{command}]}}
"""
        )
        self.processes = {}
        self.frame = 0

    def start(self, command):
        log = open(self.folder / f"{command}.log", "a")
        arguments = [AUTOQC, command, "--config", self.config]
        environment = os.environ | {"OMP_WAIT_POLICY": "passive"}
        self.processes[command] = subprocess.Popen(arguments, stdout=log, stderr=log, env=environment)

    def kill(self, command):
        self.processes[command].kill()
        self.processes[command].wait()

    def stop(self, command):
        self.processes[command].terminate()
        assert self.processes[command].wait(120) == 0, f"{command} did not end well"

    def add(self, wells, faulty):
        self.frame += 1
        name = "01_B1_f100.tiff" if faulty else "01_A1_f300.tiff"
        for well in wells:
            path = self.watched / f"01_{well}_f{self.frame}.tiff"
            shutil.copy(FRAMES / name, self.folder / "copy.tiff")
            os.rename(self.folder / "copy.tiff", path)

    def query(self, database, sql):
        path = self.out / database
        if not path.exists():
            return []
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as connection:
            return connection.execute(sql).fetchall()

    def judged(self):
        rows = self.query("ledger.sqlite", "SELECT count(*) FROM frames WHERE state = 'scored'")
        return rows[0][0] if rows else 0

    def waiting(self, target=None):
        condition = f" AND target = '{target}'" if target else ""
        sql = f"SELECT count(*) FROM deliveries WHERE state = 'waiting'{condition}"
        return self.query("notify.sqlite", sql)[0][0]

    def settled(self):
        last = self.query("ledger.sqlite", "SELECT max(id) FROM events")[0][0]
        taken = self.query("notify.sqlite", "SELECT min(number) FROM targets")[0][0]
        return last == taken and self.waiting() == 0

    def play(self, wells, faulty):
        before = self.judged()
        self.add(wells, faulty)
        until("the frames are judged", lambda: self.judged() == before + len(wells))


def play(stage):
    stage.start("notify")
    stage.start("watch")
    for receiver in (stage.web, stage.broker):
        receiver.start()
    MailServer(stage.mail_port, stage.mailbox)
    stage.play(WELLS, faulty=False)
    stage.play(WELLS[:1], faulty=True)
    until("the first event is told", lambda: stage.mailbox.letters and stage.broker.inbox.events)

    # The web server and the broker die; the notifier and the daemon are killed.
    stage.web.stop()
    stage.broker.stop()
    stage.play(WELLS[1:3], faulty=True)
    for _ in range(6):
        time.sleep(random.random())
        stage.kill("notify")
        stage.start("notify")
    stage.add(WELLS[:3], faulty=False)
    time.sleep(0.5)
    stage.kill("watch")
    stage.start("watch")
    until("the frames are judged", lambda: stage.judged() == 2 * len(WELLS) + 6 - len(WELLS))
    until("the others were told", lambda: stage.waiting("keeper") == stage.waiting("relay") == 0)

    # They come back, the web server in trouble at first.
    stage.web.broken = 503
    stage.web.start()
    stage.broker.start()
    stage.play(WELLS, faulty=True)
    stage.kill("notify")
    stage.start("notify")
    time.sleep(2)
    stage.web.broken = None
    stage.play(WELLS, faulty=False)
    until("everybody was told of everything", stage.settled)
    stage.stop("watch")
    stage.stop("notify")


def check(stage):
    rows = stage.query("ledger.sqlite", "SELECT name, run, well, event, message FROM events ORDER BY id")
    events = [(name, run or None, well or None) for name, run, well, _, _ in rows]
    kinds = collections.Counter(row[3] for row in rows)
    print(f"ledger: {len(events)} events, {dict(kinds)}")
    given_up = {row[0] for row in stage.query("notify.sqlite", "SELECT event FROM deliveries WHERE state = 'given-up'")}
    assert given_up == {event for event in stage.web.refused if not event.startswith("dig_")}, "given up: another"

    keeper = Inbox()
    for line in stage.kept.read_text().splitlines():
        keeper.take(json.loads(line)["data"]["id"], line)
    for name, inbox in (("web", stage.web.inbox), ("lab", stage.broker.inbox), ("keeper", keeper)):
        wanted = [event for event in events if not (name == "web" and event[0] in given_up)]
        assert collections.Counter(inbox.events) == collections.Counter(wanted), f"{name} missed or doubled events"
        for lane in {event[1:] for event in wanted}:
            own = [event for event in inbox.events if event[1:] == lane]
            assert own == [event for event in wanted if event[1:] == lane], f"{name}: {lane} in another order"
        print(f"{name}: {len(inbox.messages)} messages, {inbox.digests} digests, {inbox.repeated} repeated under their ids")

    sendmail = Mailbox()
    for letter in stage.letters.iterdir():
        sendmail.take(letter.read_bytes())
    for name, mailbox in (("relay", stage.mailbox), ("operator", sendmail)):
        text = "\n".join(part for letter in mailbox.texts for part in letter)
        for _, _, _, _, message in rows:
            assert message in text, f"{name} has no letter on: {message}"
        print(f"{name}: {len(mailbox.letters)} letters, {sum(mailbox.letters.values()) - len(mailbox.letters)} repeated")
    log = (stage.folder / "notify.log").read_text()
    assert "a secret" not in log and "a token" not in log and SECRET not in log


def no_secret_is_an_argument(stop, leaks):
    """Looks at the arguments of all programs as another user would."""
    while not stop.is_set():
        for entry in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().split(b"\0")
            except OSError:
                continue
            if words[0].rsplit(b"/")[-1] in (b"curl", b"mosquitto_pub"):
                joined = b" ".join(words)
                leaks += [joined for secret in (b"a secret", b"a token", SECRET.encode()) if secret in joined]
        stop.wait(0.01)


def main():
    with tempfile.TemporaryDirectory(prefix="autoqc-notify-") as name:
        stage = Stage(pathlib.Path(name))
        stop, leaks = threading.Event(), []
        looking = threading.Thread(target=no_secret_is_an_argument, args=(stop, leaks))
        looking.start()
        try:
            play(stage)
            check(stage)
            assert not leaks, leaks
        except BaseException:
            for log in ("watch.log", "notify.log"):
                if (stage.folder / log).exists():
                    print(f"--- {log}\n" + "\n".join((stage.folder / log).read_text().splitlines()[-40:]))
            raise
        finally:
            stop.set()
            looking.join()
            for process in stage.processes.values():
                process.kill()
            if stage.broker.process:
                stage.broker.stop()
    print("all receivers were told of every event once")


if __name__ == "__main__":
    main()

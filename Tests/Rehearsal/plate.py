"""A plate as an operator has it, with everybody who listens at once: plate.py AUTOQC MODEL [TABLE]

A Micro-Manager core images 24 wells and follows the advice (the scope of Tests/Micromanager). Five wells get faults. The live page, mail, a
webhook and MQTT (the receivers of Tests/Notify) are told. Prints a table, event by event: when it was recorded, how long after the first
faulty frame was written, and how many seconds later each heard of it. TABLE is a file for the same, in Markdown.
"""
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "Micromanager"), str(HERE.parent / "Notify")]
import receivers
import scope as microscope
from advice import PageAdvice
from pymmcore_plus import configure_logging

microscope.WELLS = [f"{row}{column}" for row in "ABCDEF" for column in (1, 2, 3, 4)]
microscope.TIMES = 16
microscope.SIZE = (1280, 800)
microscope.KINDS |= {
    "bubble": "[{kind: air-bubble, form: dark-bubble, wells: all, strength: 0.7}]",
    "shadow": "[{kind: illumination, form: shadow, wells: all, strength: 0.9}]",
}
# Well: how it looks, from which frame on, and up to which.
FAULTS = {"A3": ("bubble", 3, 8), "B2": ("blurred", 4, 16), "C4": ("dirty", 5, 16), "D1": ("shadow", 6, 10), "F3": ("bubble", 8, 12)}


class Page:
    """Notes when the live page first shows each event."""

    def __init__(self, scope):
        self.scope, self.heard, self.ended = scope, {}, threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.ended.wait(0.2):
            with contextlib.suppress(OSError):
                request = urllib.request.Request(f"http://127.0.0.1:{self.scope.port}/api/v1/runs/{self.scope.run}/events")
                request.add_header("Authorization", f"Bearer {microscope.TOKEN}")
                with urllib.request.urlopen(request, timeout=30) as answer:
                    for event in json.load(answer)["events"]:
                        self.heard.setdefault(event["number"], time.time())


def main():
    configure_logging(stderr_level="ERROR")
    with tempfile.TemporaryDirectory(prefix="autoqc-rehearsal-") as name:
        folder = pathlib.Path(name)
        pictures = microscope.simulate(folder)
        web, broker = receivers.WebServer(receivers.free_port()), receivers.Broker(folder, receivers.free_port())
        web.refused = {"none"}
        mailbox, mail_port = receivers.Mailbox(), receivers.free_port()
        secret = receivers.private(folder / "secret", receivers.SECRET)
        token = receivers.private(folder / "token", "a token")
        password = receivers.private(folder / "password", "a secret")
        more = f"""
notify:
  targets:
    web: {{webhook: "http://127.0.0.1:{web.port}/hook", secret: {secret}, token: {token}}}
    lab: {{mqtt: "127.0.0.1:{broker.port}", topic: lab/autoqc, user: autoqc, password: {password}}}
    operator: {{mail: operator@example.org, from: autoqc@microscope, smtp: "smtp://127.0.0.1:{mail_port}"}}
"""
        scope = microscope.Scope(folder, "plate", pictures, more=more)
        for well, (kind, first, last) in FAULTS.items():
            scope.camera.faults[first, well] = lambda well=well, kind=kind: scope.camera.shown.update({well: kind})
            scope.camera.faults[last, well] = lambda well=well: scope.camera.shown.pop(well, None)
        web.start()
        broker.start()
        receivers.MailServer(mail_port, mailbox)
        scope.start()
        log = open(folder / "notify.log", "a")
        notifier = subprocess.Popen([microscope.AUTOQC, "notify", "--config", scope.config], stdout=log, stderr=log)
        page = Page(scope)
        try:
            count = scope.acquire(PageAdvice(f"http://127.0.0.1:{scope.port}", microscope.TOKEN))
            microscope.until("no advice is open", lambda: not [one for one in scope.on_page() if one["state"] in ("pending", "acknowledged")])
            advice = scope.on_page()
            microscope.until("all is told", lambda: is_told(scope, web, broker, mailbox, page))
            page.ended.set()
            write(scope, count, advice, web, broker, mailbox, page)
        except BaseException:
            print((folder / "notify.log").read_text()[-3000:], scope.log.read_text()[-3000:], scope.said, file=sys.stderr)
            raise
        finally:
            scope.daemon.terminate()
            notifier.terminate()
            scope.daemon.wait(60)
            notifier.wait(60)
            broker.stop()


def events(scope):
    return scope.query("SELECT id, name, time_ns / 1e9, well, event, message FROM events ORDER BY id")


def mailed(mailbox, message):
    return next((at for at, text in zip(mailbox.times, mailbox.texts) if message in "\n".join(text)), None)


def is_told(scope, web, broker, mailbox, page):
    return all(
        number in page.heard and name in web.inbox.heard and name in broker.inbox.heard and mailed(mailbox, message)
        for number, name, _, _, _, message in events(scope)
    )


def write(scope, count, advice, web, broker, mailbox, page):
    rows = [["time", "event", "well", "after the fault's first frame", "page", "webhook", "MQTT", "mail"]]
    for number, name, at, well, event, message in events(scope):
        began = ""
        fault = FAULTS.get(well[0] + str(int(well[1:])) if well else "")
        if fault and event == "ONSET":
            began = f"{at - (scope.watched / f'plate_{well}_f{fault[1]}.tiff').stat().st_mtime:.1f} s"
        heard = [page.heard[number], web.inbox.heard[name], broker.inbox.heard[name], mailed(mailbox, message)]
        rows.append([time.strftime("%H:%M:%S", time.gmtime(at)), event, well or "", began] + [f"+{when - at:.1f} s" for when in heard])
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|" + "---|" * len(rows[0]))
    lines += ["", "| advice | wells | state | by | note |", "|---|---|---|---|---|"]
    lines += [f"| {one['action']} | {', '.join(one['wells'])} | {one['state']} | {one['by'].split('/')[0]} | {one['note']} |" for one in advice]
    text = "\n".join(lines) + "\n"
    print(text)
    if len(sys.argv) > 3:
        pathlib.Path(sys.argv[3]).write_text(text)
    told = {well for _, _, _, well, event, _ in events(scope) if event == "ONSET"}
    wanted = {f"{well[0]}{int(well[1:]):02}" for well in FAULTS}
    assert told == wanted, f"ONSET of {sorted(told)}, faults in {sorted(wanted)}"
    refocused = [one for one in advice if one["action"] == "refocus" and one["state"] == "done"]
    assert refocused and refocused[0]["wells"] == ["B02"], advice
    print(f"{count} frames; everybody was told of every event")


main()

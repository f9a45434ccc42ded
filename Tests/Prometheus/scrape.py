"""A real Prometheus scrapes a real daemon with examples/prometheus: scrape.py AUTOQC MODEL

Every rule is evaluated without an error, no alert fires that should not, every metric of rules and dashboard is there, and
promtool finds nothing to mend in the names of all of them.
"""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

AUTOQC, MODEL = (os.path.abspath(path) for path in sys.argv[1:3])
ROOT = pathlib.Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples/prometheus"
# Whether these are there depends on what has happened.
OPTIONAL = {"autoqc_alarms_total", "autoqc_canary_alarm", "autoqc_canary_timestamp_seconds"}
OPTIONAL |= {"autoqc_canary_found", "autoqc_canary_copies"}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def get(address):
    with urllib.request.urlopen(address, timeout=30) as answer:
        return answer.read().decode()


def until(what, happened, limit=300):
    end = time.monotonic() + limit
    while True:
        try:
            if value := happened():
                return value
        except OSError:
            pass
        if time.monotonic() > end:
            raise SystemExit(f"FAILED: in vain: {what}")
        time.sleep(0.5)


def expressions():
    """What the rules and the dashboard ask for."""
    rules = (EXAMPLE / "autoqc.rules.yml").read_text()
    dashboard = json.loads((EXAMPLE / "dashboard.json").read_text())
    panels = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", [])]
    return rules, panels


def main():
    with tempfile.TemporaryDirectory(prefix="autoqc-prometheus-") as name:
        folder = pathlib.Path(name)
        watched = folder / "plate"
        watched.mkdir()
        page, port = free_port(), free_port()
        for well in ("A1", "A2", "B1", "B2"):
            shutil.copy(ROOT / "examples/frames/01_A1_f300.tiff", watched / f"01_{well}_f1.tiff")
        shutil.copy(ROOT / "examples/frames/01_B1_f100.tiff", watched / "01_B1_f2.tiff")
        text = (EXAMPLE / "prometheus.yml").read_text().replace("127.0.0.1:8764", f"127.0.0.1:{page}")
        text = text.replace("autoqc.rules.yml", str(EXAMPLE / "autoqc.rules.yml")).replace("15s", "1s")
        (folder / "prometheus.yml").write_text(text)
        (folder / "plate.yaml").write_text(
            f"model: {MODEL}\noutput: {folder}/out\nwatch: [{watched}]\nweb: {{listen: 127.0.0.1:{page}}}\n"
            "hysteresis: {onset: 1, of: 1}\ncanary: {every: 0}\n"
        )
        log = open(folder / "log", "w")
        commands = [
            [AUTOQC, "watch", "--config", folder / "plate.yaml"],
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{port}"],
        ]
        processes = [subprocess.Popen(command, stdout=log, stderr=log) for command in commands]
        try:
            check(page, port)
        except BaseException:
            print((folder / "log").read_text()[-4000:])
            raise
        finally:
            for process in processes:
                process.terminate()
                process.wait()


def check(page, port):
    api = f"http://127.0.0.1:{port}/api/v1"
    judged = re.compile(r'^autoqc_frames_judged_total\{outcome="normal"\} 4$', re.M)
    until("the frames are judged", lambda: judged.search(get(f"http://127.0.0.1:{page}/metrics")))
    metrics = get(f"http://127.0.0.1:{page}/metrics")
    found = subprocess.run(["promtool", "check", "metrics"], input=metrics, text=True, capture_output=True)
    assert found.returncode == 0, found.stderr
    known = set(re.findall(r"^# TYPE (\S+)", metrics, re.M))
    rules, panels = expressions()
    wanted = {re.sub("_(bucket|sum|count)$", "", name) for name in re.findall(r"autoqc_[a-z_]+", rules + " ".join(panels))}
    missing = wanted - known - OPTIONAL
    assert not missing, f"/metrics has no {sorted(missing)}"

    def targets():
        return [target["health"] for target in json.loads(get(f"{api}/targets"))["data"]["activeTargets"]]

    until("Prometheus scrapes the page", lambda: targets() == ["up"])

    def evaluated():
        groups = json.loads(get(f"{api}/rules"))["data"]["groups"]
        all_rules = [rule for group in groups for rule in group["rules"]]
        return all_rules if all(rule["health"] != "unknown" for rule in all_rules) else None

    all_rules = until("the rules are evaluated", evaluated)
    assert len(all_rules) == rules.count("- alert:")
    for rule in all_rules:
        assert rule["health"] == "ok", rule
        if rule["name"] in ("AutoqcPageDown", "AutoqcDaemonDown", "AutoqcObstacle", "AutoqcCanary", "AutoqcBehind"):
            assert rule["state"] == "inactive", rule
    for panel in panels:
        expression = panel.replace("$microscope", "plate").replace("$__rate_interval", "1m")
        answer = json.loads(get(f"{api}/query?query={urllib.parse.quote(expression)}"))
        assert answer["status"] == "success", (expression, answer)
    print(f"{len(all_rules)} rules evaluated, {len(panels)} expressions of the dashboard answered, {len(wanted)} metrics known")


main()

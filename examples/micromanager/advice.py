"""The advice of autoqc, from its folder or from its page.

Both classes have `pending(run)`, which lists the advice that nobody has taken, and `answer(advice, state, by, note)`, which says
whether the answer counts. autoqc takes one acknowledgement of each advice, so only one program acts on it. `by` is to be a name that no
other program has. Whatever cannot be reached is an OSError.
"""
import json
import os
import pathlib
import time
import urllib.error
import urllib.parse
import urllib.request


def advice_at(place, token=None):
    """The advice at an address of the page, or in an output folder."""
    return PageAdvice(place, token) if place.startswith(("http://", "https://")) else FolderAdvice(place)


class FolderAdvice:
    """Advice in OUT/RUN/advice, which may be a share. An answer is a file beside it; autoqc takes it away."""

    def __init__(self, output, patience=15):
        self.output, self.patience = pathlib.Path(output), patience

    def pending(self, run):
        # A missing folder reads like an empty one: there was no advice yet.
        if not self.output.is_dir():
            raise FileNotFoundError(f"the folder {self.output} is not there")
        files = sorted((self.output / run / "advice").glob("*.json"))
        advice = [self._read(file) for file in files if not file.name.endswith(".reply.json")]
        return [one for one in advice if one["run"] == run and one["state"] == "pending"]

    def answer(self, advice, state, by, note=""):
        folder = self.output / advice["run"] / "advice"
        reply = folder / f"{advice['id']}.reply.json"
        unfinished = folder / f".{advice['id']}.{os.getpid()}"
        unfinished.write_text(json.dumps({"state": state, "by": by, "note": note}))
        os.replace(unfinished, reply)
        end = time.monotonic() + self.patience
        while True:
            time.sleep(0.1)
            current = self._read(folder / f"{advice['id']}.json")
            if current["by"] == by and current["state"] == state:
                return True
            if current["state"] not in ("pending", "acknowledged") or current["by"] not in ("", by):
                return False
            if time.monotonic() > end:
                try:
                    reply.unlink()
                except FileNotFoundError:
                    end += self.patience  # autoqc has just taken it, and will say so.
                    continue
                raise TimeoutError(f"nobody takes {reply}: autoqc does not run, or may not read it")

    @staticmethod
    def _read(file):
        return json.loads(file.read_text())


class PageAdvice:
    """Advice of the live page."""

    def __init__(self, address, token=None, timeout=10):
        self.address, self.timeout = address.rstrip("/") + "/api/v1/advice", timeout
        self.headers = {"Authorization": f"Bearer {token}"} if token else {}

    def pending(self, run):
        query = urllib.parse.urlencode({"run": run, "state": "pending"})
        with self._ask(f"{self.address}?{query}") as response:
            return json.load(response)

    def answer(self, advice, state, by, note=""):
        body = json.dumps({"state": state, "by": by, "note": note}).encode()
        try:
            with self._ask(f"{self.address}/{advice['id']}", body):
                return True
        except urllib.error.HTTPError as error:
            if error.code in (404, 409):
                return False
            raise

    def _ask(self, address, body=None):
        headers = self.headers | ({"Content-Type": "application/json"} if body else {})
        return urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=self.timeout)

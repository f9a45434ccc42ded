"""Headless Chromium over its debugging pipe: no driver, no library, no port."""
import base64
import json
import os
import select
import shutil
import subprocess
import tempfile
import time


class BrowserError(Exception):
    """What the page or the browser says went wrong."""


class Browser:
    """One page of one browser; collects what the console and the security policy complain of."""

    def __init__(self, width=1440, height=900, dark=False):
        binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        if not binary:
            raise BrowserError("no Chromium: apt install chromium")
        self.profile = tempfile.mkdtemp(prefix="autoqc-browser-")
        to_browser, self.writes = os.pipe()
        self.reads, from_browser = os.pipe()

        def place():
            # Chromium reads commands from descriptor 3 and answers on 4.
            low, high = os.dup(to_browser), os.dup(from_browser)
            os.dup2(low, 3)
            os.dup2(high, 4)

        self.process = subprocess.Popen(
            [binary, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
             "--remote-debugging-pipe", f"--user-data-dir={self.profile}", f"--window-size={width},{height}",
             "--no-first-run", "--disable-extensions", "about:blank"],
            preexec_fn=place, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.buffer, self.complaints = 0, b"", []
        target = self._call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self.session = None
        self.session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        self.size(width, height)
        if dark:
            self.call("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": "dark"}]})

    def size(self, width, height):
        self.call("Emulation.setDeviceMetricsOverride", {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.reads)
        os.close(self.writes)
        shutil.rmtree(self.profile, ignore_errors=True)

    def call(self, method, parameters=None):
        return self._call(method, parameters or {}, self.session)

    def _call(self, method, parameters, session=None, within=60):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.writes, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + within
        while True:
            answer = self._next(deadline)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']}")
                return answer["result"]

    def _next(self, deadline):
        while b"\0" not in self.buffer:
            ready, _, _ = select.select([self.reads], [], [], max(0, deadline - time.monotonic()))
            if not ready:
                raise BrowserError("the browser does not answer")
            part = os.read(self.reads, 1 << 20)
            if not part:
                raise BrowserError("the browser is gone")
            self.buffer += part
        raw, self.buffer = self.buffer.split(b"\0", 1)
        event = json.loads(raw)
        self._note(event)
        return event

    def _note(self, event):
        method, parameters = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.complaints.append(details.get("exception", {}).get("description") or details["text"])
        elif method == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "warning"):
            self.complaints.append(" ".join(str(value.get("value", value.get("description"))) for value in parameters["args"]))
        elif method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"):
            self.complaints.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")

    def open(self, address):
        self.call("Page.navigate", {"url": address})

    def run(self, script):
        """The value of a JavaScript expression, waited for if it is a promise."""
        answer = self.call("Runtime.evaluate", {"expression": script, "awaitPromise": True, "returnByValue": True})
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description") or details["text"])
        return answer["result"].get("value")

    def until(self, script, what, within=180):
        """Waits until an expression is true."""
        deadline = time.monotonic() + within
        while time.monotonic() < deadline:
            # An element would come back as an empty dictionary; one that is not there yet is no mistake of the page.
            try:
                if self.run(f"Boolean({script})"):
                    return
            except BrowserError:
                pass
            time.sleep(0.1)
        shown = self.run("[location.href, document.body.innerText.slice(0, 2000)]")
        raise BrowserError(f"in vain: {what}; the console says {self.complaints}; the page shows {shown}")

    def press(self, key):
        for kind in ("keyDown", "keyUp"):
            parameters = {"type": kind, "key": key, "code": key}
            if key == "Enter":
                parameters.update(windowsVirtualKeyCode=13, text="\r")
            elif key == "Tab":
                parameters.update(windowsVirtualKeyCode=9)
            elif key == "Escape":
                parameters.update(windowsVirtualKeyCode=27)
            elif key.startswith("Arrow"):
                parameters.update(windowsVirtualKeyCode={"Left": 37, "Up": 38, "Right": 39, "Down": 40}[key[5:]])
            self.call("Input.dispatchKeyEvent", parameters)

    def picture(self, path, whole=False):
        data = self.call("Page.captureScreenshot", {"format": "png", "captureBeyondViewport": whole})["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def pdf(self, path):
        data = self.call("Page.printToPDF", {"printBackground": True})["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

"""A headless Chromium that shows one page, driven over a pipe with the DevTools protocol: no package and no port.

``with Chromium() as browser: browser.show(html, width=360, dark=True); browser.evaluate("document.title")``
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
TIMEOUT_S = 60
SILENT = "Chromium: must answer until it is closed, but does not."
PATIENCE_S = 10  # for a browser that was told to end
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--remote-debugging-pipe"),
    *("--no-first-run", "--disable-extensions", "--disable-background-networking", "--disable-component-update"),
    *("--disable-sync", "--no-proxy-server", "--host-resolver-rules=MAP * ~NOTFOUND", "--force-color-profile=srgb"),
)
# The browser reads from descriptor 3 and writes to 4, which may be taken by the pipes themselves.
LAUNCHER = """
import fcntl, os, sys
reads, writes = (fcntl.fcntl(int(word), fcntl.F_DUPFD, 10) for word in sys.argv[1:3])
os.dup2(reads, 3)
os.dup2(writes, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def find_chromium() -> str | None:
    """The path of a Chromium, or None."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


class Chromium:
    """One page. RuntimeError where there is no Chromium, or where it answers with an error."""

    def __init__(self) -> None:
        path = find_chromium()
        if path is None:
            raise RuntimeError("Chromium: must be installed, but is not; apt install chromium")
        self._received = b""
        self._number, self._session, self.requests = 0, "", list[str]()
        with contextlib.ExitStack() as ending:
            self._start(path, ending)
            self._attach()
            self._ending = ending.pop_all()

    def _start(self, path: str, ending: contextlib.ExitStack) -> None:
        """Start the process; ``ending`` ends it, and removes what it had."""
        folder = tempfile.mkdtemp(prefix="chromium-")
        ending.callback(shutil.rmtree, folder, ignore_errors=True)
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        ending.callback(os.close, self._from)
        with contextlib.ExitStack() as theirs:
            for descriptor in (theirs_in, theirs_out):
                theirs.callback(os.close, descriptor)
            words = [path, *FLAGS, f"--user-data-dir={folder}", "about:blank"]
            words = [sys.executable, "-c", LAUNCHER, str(theirs_in), str(theirs_out), *words]
            process = ending.enter_context(
                subprocess.Popen(
                    words, pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
        ending.callback(_end, process, self._to)

    def _attach(self) -> None:
        """Find the page, and listen to it."""
        targets = self._call("Target.getTargets")["targetInfos"]
        page = next(target["targetId"] for target in targets if target["type"] == "page")
        self._session = self._call("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime"):
            self._call(f"{domain}.enable")

    def __enter__(self) -> Chromium:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the browser."""
        with self._ending, contextlib.suppress(OSError, RuntimeError):
            self._session = ""
            self._call("Browser.close")

    def show(self, page: Path, width: int, height: int = 900, dark: bool = False, scripts: bool = True) -> None:
        """Load a page from a file in a window of that size, in the light or the dark scheme."""
        self.requests.clear()
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])
        self._call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self._call("Page.navigate", url=page.resolve().as_uri())
        self._until("Page.loadEventFired")

    def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript, as JSON."""
        found = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in found:
            raise RuntimeError(f"Chromium: {found['exceptionDetails']}")
        return found["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key: Tab or Enter."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self._call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **text)

    def picture(self, whole: bool = True) -> bytes:
        """The page as a PNG, the whole of it or what the window shows."""
        clip = self._clip(whole)
        found: str = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=whole, **clip)["data"]
        return base64.b64decode(found)

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    def _call(self, method: str, **parameters: Any) -> Any:
        self._number += 1
        number = self._number
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        try:
            os.write(self._to, json.dumps(message).encode() + b"\0")
        except BrokenPipeError:
            raise RuntimeError(SILENT) from None
        while (found := self._next()).get("id") != number:
            pass
        if "error" in found:
            raise RuntimeError(f"Chromium: {method}: {found['error']['message']}")
        return found["result"]

    def _until(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        """The next message of the browser."""
        while b"\0" not in self._received:
            ready, _, _ = select.select([self._from], [], [], TIMEOUT_S)
            piece = os.read(self._from, 1 << 20) if ready else b""
            if not piece:
                raise RuntimeError(SILENT)
            self._received += piece
        content, _, self._received = self._received.partition(b"\0")
        message: dict[str, Any] = json.loads(content)
        if message.get("method") == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        return message


def _end(process: subprocess.Popen[bytes], to: int) -> None:
    """Close its pipe, which ends a browser that works, and end it otherwise."""
    os.close(to)
    try:
        process.wait(PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()

"""A headless Chromium, driven by its DevTools protocol; tests of pages are skipped where there is none."""

import asyncio
import json
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import websocket_connect

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
)
needs_chromium = pytest.mark.skipif(not CHROMIUM, reason="no Chromium is installed")
PATIENCE = 120  # seconds, on a machine that does much else


class Browser:
    """One browser with one page."""

    def __init__(self, folder: Path) -> None:
        options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--no-first-run"]
        options += ["--disable-background-networking", f"--user-data-dir={folder}"]
        self.process = subprocess.Popen(
            [CHROMIUM, *options, "about:blank"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.loop = asyncio.new_event_loop()
        port = folder / "DevToolsActivePort"
        until = time.monotonic() + PATIENCE
        while not (port.exists() and port.read_text().count("\n")):
            assert time.monotonic() < until, "Chromium does not start"
            time.sleep(0.05)
        number, path = port.read_text().split()
        self.number, self.session = 0, ""
        self.requests: list[str] = []
        self.errors: list[str] = []
        address = f"ws://127.0.0.1:{number}{path}"
        self.socket = self.loop.run_until_complete(self._connect(address))
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its answer, noting what happens meanwhile."""
        self.number += 1
        message: dict[str, Any] | None = {"id": self.number, "method": method, "params": parameters}
        if self.session and message:
            message["sessionId"] = self.session
        while True:
            answer = json.loads(self.loop.run_until_complete(self._exchange(message)))
            message = None
            if answer.get("id") == self.number:
                assert "error" not in answer, answer
                return dict(answer["result"])
            self._note(answer.get("method"), answer.get("params"))

    async def _connect(self, address: str) -> Any:
        return await websocket_connect(address, max_message_size=10**8)

    async def _exchange(self, message: dict[str, Any] | None) -> Any:
        if message:
            await self.socket.write_message(json.dumps(message))
        return await asyncio.wait_for(self.socket.read_message(), PATIENCE)

    def _note(self, event: str, about: Any) -> None:
        if event == "Network.requestWillBeSent" and not about["request"]["url"].startswith(("data:", "blob:")):
            self.requests.append(about["request"]["url"])
        if event == "Runtime.exceptionThrown":
            self.errors.append(about["exceptionDetails"]["exception"].get("description", str(about)))
        if event == "Log.entryAdded" and about["entry"]["level"] == "error":
            self.errors.append(about["entry"]["text"])
        if event == "Runtime.consoleAPICalled" and about["type"] in ("error", "warning"):
            self.errors.append(" ".join(str(each.get("value", "")) for each in about["args"]))

    def open(self, page: Path, width: int = 1_440, height: int = 900, touch: bool = False) -> None:
        """Open a page in a window of a size."""
        self.requests.clear()
        self.errors.clear()
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self.send("Emulation.setTouchEmulationEnabled", enabled=touch, maxTouchPoints=2)
        self.send("Page.navigate", url=page.as_uri())
        self.wait("document.readyState === 'complete'")

    def evaluate(self, expression: str) -> Any:
        """Return the value of an expression in the page, awaited."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Wait until an expression in the page is true."""
        until = time.monotonic() + PATIENCE
        while not self.evaluate(expression):
            assert time.monotonic() < until, f"{expression} stays false; {self.errors}"
            time.sleep(0.02)

    def click(self, x: float, y: float) -> None:
        """Press and release the left button."""
        for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
            self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def touch(self, *steps: list[tuple[float, float]]) -> None:
        """Set fingers down at the places of the first step, move them through the others, and lift them."""
        for number, fingers in enumerate(steps):
            kind = "touchMove" if number else "touchStart"
            points = [{"x": x, "y": y, "id": id} for id, (x, y) in enumerate(fingers)]
            self.send("Input.dispatchTouchEvent", type=kind, touchPoints=points)
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, text=key if len(key) == 1 and kind == "keyDown" else ""
            )

    def shows(self, selector: str) -> list[str]:
        """Return the text of the elements of a selector that are shown."""
        return list(
            self.evaluate(
                f"[...document.querySelectorAll({json.dumps(selector)})]"
                ".filter((each) => each.checkVisibility()).map((each) => each.textContent)"
            )
        )

    def close(self) -> None:
        """End the browser."""
        self.socket.close()
        self.process.terminate()
        self.process.wait(PATIENCE)
        self.loop.run_until_complete(asyncio.sleep(0))
        self.loop.close()

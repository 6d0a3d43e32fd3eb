#!/usr/bin/env python3
"""Opens pages in headless Chromium: no script errors, nothing fetched, and sliders that change what they should.

usage: pages.py [--screenshots FOLDER] PAGE.html...

Says so and succeeds where chromium or chromedriver is missing."""

import argparse
import base64
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

CHROMIUM_FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
                  "--disable-background-networking", "--disable-component-update", "--disable-sync"]
# Values of one control at a time, and what shall be different afterwards.
PROBES = [("lr", -3, ["way", "loss-line"]), ("momentum", 2, ["way", "loss-line"]), ("steps", -7, ["way", "loss-line"]),
          ("optimizer", 1, ["way"])]


class Browser:
    """A session of chromedriver. [W3C WebDriver]"""

    def __init__(self, profile: str):
        self.driver = subprocess.Popen(["chromedriver", "--port=0"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       text=True)
        try:
            self.begin(profile)
        except Exception:
            self.end()
            raise

    def begin(self, profile: str):
        self.base = f"http://127.0.0.1:{self.port()}"
        options = {"args": CHROMIUM_FLAGS + [f"--user-data-dir={profile}"], "binary": shutil.which("chromium")}
        capabilities = {"browserName": "chrome", "goog:chromeOptions": options,
                        "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        self.session = self.call("POST", "/session", {"capabilities": {"alwaysMatch": capabilities}})["sessionId"]

    def port(self) -> str:
        for line in self.driver.stdout:
            if "started successfully on port" in line:
                return line.split()[-1].rstrip(".")
        raise RuntimeError("chromedriver does not start")

    def call(self, method: str, path: str, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.base + path, data, {"Content-Type": "application/json"}, method=method)
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(request, timeout=120) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)["value"]["message"]) from error

    def command(self, path: str, body=None):
        return self.call("GET" if body is None else "POST", f"/session/{self.session}/{path}", body)

    def run(self, script: str, *args):
        return self.command("execute/sync", {"script": script, "args": list(args)})

    def logs(self, kind: str):
        return self.command("se/log", {"type": kind})

    def devtools(self, name: str, parameters):
        return self.command("goog/cdp/execute", {"cmd": name, "params": parameters})

    def screenshot(self, path: pathlib.Path):
        path.write_bytes(base64.b64decode(self.command("screenshot")))

    def close(self):
        try:
            self.call("DELETE", f"/session/{self.session}")
        finally:
            self.end()

    def end(self):
        self.driver.terminate()
        self.driver.wait()


def wait_until_ready(browser: Browser):
    for _ in range(100):
        if browser.run("return document.readyState === 'complete' && "
                       "(!document.getElementById('paths') || document.body.dataset.ready === 'yes')"):
            return True
        time.sleep(0.1)
    return False


def requests(browser: Browser):
    for entry in browser.logs("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            yield message["params"]["request"]["url"]


def state(browser: Browser, element: str) -> str:
    return browser.run("const e = document.getElementById(arguments[0]);"
                       "return e.getAttribute('d') ?? e.textContent", element)


def move(browser: Browser, control: str, steps: int):
    browser.run("const c = document.getElementById(arguments[0]); c.value = Number(c.value) + arguments[1];"
                "c.dispatchEvent(new Event('input', {bubbles: true}))", control, steps)


def slider_problems(browser: Browser):
    """The page of `gradus landscape`: each control changes path and numbers, and an address brings them back."""
    begin = browser.run("return location.hash")
    for control, steps, shown in PROBES:
        before = {element: state(browser, element) for element in shown}
        move(browser, control, steps)
        for element in shown:
            if state(browser, element) == before[element]:
                yield f"moving {control} does not change {element}"
    path, address = state(browser, "way"), browser.run("return location.hash")
    if address == begin:
        yield "the address does not follow the controls"
    move(browser, "steps", -9)
    browser.run("location.hash = arguments[0]", address)
    time.sleep(0.3)
    if state(browser, "way") != path:
        yield "an address does not bring back what it stood for"
    for label in browser.run("return [...document.querySelectorAll('input, select')]"
                             ".filter(e => !e.labels.length).map(e => e.id)"):
        yield f"{label} has no label"


def look(browser: Browser, name: str, folder: pathlib.Path):
    views = [("", 1200, 1060, "light"), ("dark", 1200, 1060, "dark"), ("700px", 700, 1100, "light")]
    for view, width, height, scheme in views:
        browser.devtools("Emulation.setDeviceMetricsOverride",
                         {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        browser.devtools("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        if browser.run("return document.documentElement.scrollWidth > innerWidth"):
            yield f"wider than the window of {width} pixels"
        if folder:
            browser.screenshot(folder / f"{name}{'-' * bool(view)}{view}.png")


def problems_of(browser: Browser, page: pathlib.Path, folder):
    address = page.resolve().as_uri()
    browser.command("url", {"url": "about:blank"})
    browser.logs("performance")  # what the browser loads for itself, as it starts
    browser.command("url", {"url": address})
    if not wait_until_ready(browser):
        yield "its script does not finish"
    yield from look(browser, page.stem, folder)
    if browser.run("return !!document.getElementById('paths')"):
        yield from slider_problems(browser)
    for entry in browser.logs("browser"):
        if entry["level"] in ("SEVERE", "WARNING"):
            yield f"console: {entry['message']}"
    for url in requests(browser):
        if url.split("#")[0] != address and not url.startswith(("data:", "blob:")):
            yield f"fetches {url}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", type=pathlib.Path, metavar="PAGE.html")
    parser.add_argument("--screenshots", type=pathlib.Path, metavar="FOLDER")
    options = parser.parse_args()
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    if missing:
        print(f"pages: skipped, there is no {' and no '.join(missing)}")
        return 0
    if options.screenshots:
        options.screenshots.mkdir(parents=True, exist_ok=True)
    found = 0
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = Browser(profile)
        try:
            for page in options.pages:
                problems = list(problems_of(browser, page, options.screenshots))
                found += len(problems)
                print(f"{page}: " + ("; ".join(problems) if problems else "no errors, nothing fetched"))
        finally:
            browser.close()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())

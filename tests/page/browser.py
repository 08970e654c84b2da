"""A small WebDriver client for chromedriver, using only Python's standard library."""

import base64
import json
import subprocess
import urllib.error
import urllib.request

KEYS = {'Tab': '\ue004', 'Enter': '\ue007', 'Escape': '\ue00c', 'Left': '\ue012', 'Up': '\ue013',
        'Right': '\ue014', 'Down': '\ue015', 'Space': ' '}
SHIFT = '\ue008'
# The key of an element in WebDriver's JSON.
ELEMENT = 'element-6066-11e4-a52e-4f735466cecf'


class Browser:
    """A headless Chromium, as a context manager."""

    def __enter__(self):
        self.driver = subprocess.Popen(['chromedriver', '--port=0'], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        for line in self.driver.stdout:
            if 'started successfully on port ' in line:
                self.address = 'http://127.0.0.1:' + line.rsplit('port ', 1)[1].strip(' .\n')
                break
        else:
            raise RuntimeError('chromedriver did not start')
        # --no-sandbox: CI runs as root, where Chromium's sandbox does not work.
        arguments = ['--headless=new', '--no-sandbox', '--disable-dev-shm-usage', '--hide-scrollbars']
        answer = self.call('POST', '/session', {'capabilities': {'alwaysMatch': {
            'goog:loggingPrefs': {'browser': 'ALL', 'performance': 'ALL'},
            'goog:chromeOptions': {'binary': '/usr/bin/chromium', 'args': arguments}}}}, session='')
        self.session = answer['sessionId']
        return self

    def __exit__(self, *_):
        try:
            self.call('DELETE', '')
        finally:
            self.driver.terminate()
            self.driver.wait()

    def call(self, method, path, body=None, session=None):
        prefix = '' if session == '' else '/session/' + self.session
        request = urllib.request.Request(
            self.address + prefix + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={'Content-Type': 'application/json'})
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                return json.load(answer)['value']
        except urllib.error.HTTPError as error:
            raise RuntimeError(json.load(error)['value']['message']) from None

    def devtools(self, command, **parameters):
        return self.call('POST', '/goog/cdp/execute', {'cmd': command, 'params': parameters})

    def look(self, width, height=900, dark=False, reduced_motion=False):
        """Sets the width of the screen in CSS pixels, and the light or dark theme."""
        self.devtools('Emulation.setDeviceMetricsOverride', width=width, height=height,
                      deviceScaleFactor=1, mobile=width < 600)
        self.devtools('Emulation.setEmulatedMedia', features=[
            {'name': 'prefers-color-scheme', 'value': 'dark' if dark else 'light'},
            {'name': 'prefers-reduced-motion',
             'value': 'reduce' if reduced_motion else 'no-preference'}])

    def open(self, path):
        self.call('POST', '/url', {'url': 'file://' + path})

    def run(self, script, *arguments):
        return self.call('POST', '/execute/sync', {'script': script, 'args': list(arguments)})

    def texts(self, selector):
        return self.run('return [...document.querySelectorAll(arguments[0])]'
                        '.map((e) => e.textContent)', selector)

    def text(self, selector):
        return self.run('return document.querySelector(arguments[0]).textContent', selector)

    def _actions(self, kind, name, actions):
        source = {'type': kind, 'id': name, 'actions': actions}
        if kind == 'pointer':
            source['parameters'] = {'pointerType': 'mouse'}
        self.call('POST', '/actions', {'actions': [source]})

    def hover(self, selector, click=False):
        """Scrolls an element into view and moves the mouse to its centre."""
        element = self.call('POST', '/element', {'using': 'css selector', 'value': selector})
        self.run('arguments[0].scrollIntoView({block: "center", behavior: "instant"})', element)
        move = {'type': 'pointerMove', 'duration': 0, 'origin': element, 'x': 0, 'y': 0}
        press = [{'type': 'pointerDown', 'button': 0}, {'type': 'pointerUp', 'button': 0}]
        self._actions('pointer', 'mouse', [move] + (press if click else []))

    def click(self, selector):
        self.hover(selector, click=True)

    def press(self, *keys):
        """Presses keys one after the other: names of KEYS, "Shift+Tab", or single characters."""
        actions = []
        for key in keys:
            shifted = key.startswith('Shift+')
            value = KEYS.get(key.removeprefix('Shift+'), key)
            if shifted:
                actions.append({'type': 'keyDown', 'value': SHIFT})
            actions += [{'type': 'keyDown', 'value': value}, {'type': 'keyUp', 'value': value}]
            if shifted:
                actions.append({'type': 'keyUp', 'value': SHIFT})
        self._actions('key', 'keyboard', actions)

    def tab_to(self, selector, limit=400):
        """Presses Tab until an element of `selector` has the focus."""
        for _ in range(limit):
            if self.run('return document.activeElement.matches(arguments[0])', selector):
                return
            self.press('Tab')
        raise AssertionError(f'{selector} cannot be reached with Tab')

    def console(self):
        """Returns the errors of the page and the browser since the last call."""
        return [entry['message'] for entry in self.call('POST', '/se/log', {'type': 'browser'})
                if entry['level'] in ('SEVERE', 'WARNING')]

    def requests(self):
        """Returns the URLs requested since the last call."""
        messages = (json.loads(entry['message'])['message']
                    for entry in self.call('POST', '/se/log', {'type': 'performance'}))
        return [message['params']['request']['url'] for message in messages
                if message['method'] == 'Network.requestWillBeSent']

    def screenshot(self, path, selector='body', until=None):
        """Takes a screenshot of an element, even outside the window, down to `until`."""
        left, top, width, height = self.run('''
            const box = document.querySelector(arguments[0]).getBoundingClientRect();
            const end = (document.querySelector(arguments[1]) ?? {getBoundingClientRect: () => box}).getBoundingClientRect();
            return [box.left + scrollX, box.top + scrollY, box.width, end.bottom - box.top]''', selector, until or 'none')
        clip = {'x': left, 'y': top, 'width': width, 'height': height, 'scale': 1}
        shot = self.devtools('Page.captureScreenshot', format='png', captureBeyondViewport=True,
                             clip=clip)
        with open(path, 'wb') as file:
            file.write(base64.b64decode(shot['data']))

"""OneTask's document as its readers use it: its JavaScript in a browser, and the command-line client."""

import asyncio
import re
import subprocess
import sys

import pytest

from tests.support.database import sqlite_only
from tests.support.server_process import ROOT
from tests.support.team import sign_up
from tests.support.waiting import eventually

# As the document has it, but for the token and the host, which it leaves to its reader.
SAMPLE = """
// Connect to notifications WebSocket
const token = "your_jwt_token";
const notificationSocket = new WebSocket(`ws://localhost:5000/ws/notifications?token=${token}`);

notificationSocket.onopen = () => {
  console.log('Connected to notification websocket');
};

notificationSocket.onmessage = (event) => {
  const data = JSON.parse(event.data);
  console.log('Notification received:', data);

  // Handle notification (e.g., display in UI)
  showNotification(data.title, data.content, data.notification_type);
};

notificationSocket.onclose = () => {
  console.log('Disconnected from notification websocket');
};

// Send a task event
async function sendTaskEvent(taskId, title, action) {
  const response = await fetch('/api/v1/realtime/events/task', {
    method: 'POST',
    headers: {
      'Content-Type': 'application/json',
      'Authorization': `Bearer ${token}`
    },
    body: JSON.stringify({
      task_id: taskId,
      title: title,
      action: action
    })
  });

  const result = await response.json();
  console.log('Event sent:', result);
}
"""


@sqlite_only
@pytest.mark.gen_test
async def test_its_javascript_runs_as_it_stands(app, client, new_page):
    (ann,) = await sign_up(client, "ann")
    made = (await ann.post("/api/tasks/", json={"title": "Paint"})).expect(201).json
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}")
    await page.goto("/api/docs/")
    script = SAMPLE.replace("your_jwt_token", ann.access).replace("localhost:5000", f"127.0.0.1:{app.port}")
    await page.evaluate("() => { shown = []; showNotification = (...all) => shown.push(all); }")
    await page.evaluate(
        f"() => {{ {script}; window.send = sendTaskEvent;"
        " return new Promise(done => notificationSocket.addEventListener('open', done)); }"
    )
    await page.evaluate(f"() => send({made['id']}, 'Task Title', 'updated')")
    (await ann.post("/api/notifications/mark-all-read/")).expect(200)
    body = {"title": "Important", "content": "Read this."}
    (await ann.post("/api/v1/realtime/events/system", json=body)).expect(200)
    shown = await eventually(lambda: _shown(page, 2))
    # Nothing but what the document names has arrived, though all was marked read in between.
    assert shown == [
        ["Task Title", "Task updated: Task Title", "task"],
        ["Important", "Read this.", "system"],
    ]
    assert any("recipient_count: 1" in line for line in new_page.console)


async def _shown(page, count):
    shown = await page.evaluate("() => window.shown")
    return shown if len(shown) >= count else None


@pytest.mark.gen_test
async def test_the_command_line_client_survives_a_restart(process, new_client):
    (ann,) = await sign_up(new_client(process), "ann")
    place = (await ann.post("/api/v1/workspaces/", json={"name": "W"})).expect(201).json["id"]
    command = [sys.executable, ROOT / "websocket_client_test.py", ann.access, str(place)]
    listening = subprocess.Popen(
        [*command, "--server", process.url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    lines = []
    reading = asyncio.ensure_future(asyncio.to_thread(lambda: list(map(lines.append, listening.stdout))))
    try:
        await eventually(lambda: sum("connected" in line for line in lines) == 2)
        (await ann.post("/api/tasks/", json={"title": "First", "workspace": place})).expect(201)
        await eventually(lambda: any(re.search(r"tasks .*task: First", line) for line in lines))
        await asyncio.to_thread(process.restart)
        (await ann.post("/api/tasks/", json={"title": "Second", "workspace": place})).expect(201)
        body = {"title": "Hello", "content": "there"}
        (await ann.post("/api/v1/realtime/events/system", json=body)).expect(200)
        await eventually(lambda: any("task: Second" in line for line in lines))
        await eventually(lambda: any("system: Hello – there" in line for line in lines))
    finally:
        listening.kill()
        listening.wait()
        await reading
        listening.stdout.close()


@pytest.mark.gen_test
async def test_the_command_line_client_ends_when_it_is_refused(process, new_client):
    command = [sys.executable, ROOT / "websocket_client_test.py", "no.such.token", "--server", process.url]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, text=True, timeout=30)
    assert done.returncode == 1 and "closed with 4401" in done.stdout

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graphmer_geo.errors import UserError
from graphmer_geo.train.alerts import Alerts

from .fakes import tiny_trainer

ARGS: Any = SimpleNamespace(dataloader_num_workers=0)
STATE: Any = SimpleNamespace(is_world_process_zero=True, global_step=7)


def line(loss: float = 4.0, speed: float = 100.0, wait: float = 0.1) -> dict[str, float]:
    return {"loss": loss, "tokens_per_second": speed, "data_wait": wait}


def kinds(out: Path) -> list[str]:
    path = out / "alerts.jsonl"
    return [json.loads(text)["alert"] for text in path.read_text().splitlines()] if path.exists() else []


def feed(alerts: Alerts, *lines: dict[str, float]) -> None:
    for logs in lines:
        alerts.on_log(ARGS, STATE, None, logs)  # type: ignore[arg-type]


USUAL = [line(4.0 + 0.05 * (i % 3), 100.0 + i) for i in range(8)]


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (line(4.1), []),
        (line(2.0), []),  # better is no alarm
        (line(4.6), []),  # within a fifth
        (line(6.0), ["loss spike"]),
        (line(speed=40.0), ["falling throughput"]),
        (line(wait=0.7), ["waiting for data"]),
    ],
)
def test_what_is_unusual_is_told(tmp_path: Path, last: dict[str, float], expected: list[str]) -> None:
    alerts = Alerts(tmp_path)
    feed(alerts, *USUAL, last)
    assert kinds(tmp_path) == expected


def test_a_spike_does_not_become_usual_and_the_first_lines_are_no_alarm(tmp_path: Path) -> None:
    alerts = Alerts(tmp_path)
    feed(alerts, line(9.0), line(4.0), *USUAL, *[line(7.0)] * 8)
    assert kinds(tmp_path) == ["loss spike"] * 8


@contextmanager
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    got: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/hook", got
    finally:
        server.shutdown()
        server.server_close()


def wait_for(found: Any) -> None:
    for _ in range(500):
        if found():
            return
        time.sleep(0.01)
    pytest.fail("nothing came")


def test_the_webhook_gets_each_alert(tmp_path: Path) -> None:
    with receiver() as (address, got):
        alerts = Alerts(tmp_path, webhook=address)
        feed(alerts, *USUAL, line(6.0))
        wait_for(lambda: got)
    assert got[0]["alert"] == "loss spike"
    assert "loss 6, usually 4.05" in got[0]["text"]


def test_a_webhook_that_fails_stops_nothing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    alerts = Alerts(tmp_path, webhook="http://127.0.0.1:1/nobody")
    with caplog.at_level(logging.WARNING):
        feed(alerts, *USUAL, line(6.0))
        wait_for(lambda: "could not be reached" in caplog.text)
    with pytest.raises(UserError, match=r"begins with http"):
        Alerts(tmp_path, webhook="ftp://x")


def test_no_step_for_long_is_told_once(tmp_path: Path) -> None:
    alerts = Alerts(tmp_path, stall_seconds=0.05)
    alerts.on_train_begin(ARGS, STATE, None)  # type: ignore[arg-type]
    wait_for(lambda: kinds(tmp_path))
    time.sleep(0.15)
    assert kinds(tmp_path) == ["stalled"]
    alerts.on_step_end(ARGS, STATE, None)  # type: ignore[arg-type]
    wait_for(lambda: kinds(tmp_path) == ["stalled"] * 2)
    alerts.close()


def test_a_quiet_run_has_no_alerts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # How busy this machine is makes no difference.
    monkeypatch.setattr("graphmer_geo.train.alerts.WAIT_SHARE", 1.0)
    trainer = tiny_trainer(tmp_path, max_steps=3)
    trainer.add_callback(Alerts(tmp_path))
    trainer.train()
    assert not (tmp_path / "alerts.jsonl").exists()
    wait_for(lambda: "stall-watch" not in {thread.name for thread in threading.enumerate()})

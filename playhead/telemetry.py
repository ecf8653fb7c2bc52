"""What the program tells about itself: every metric in one table, and log lines that carry ids only.

    counter("playhead_ingest_records_total").labels("batch").inc()
    logger("storage.journal").info("segment_sealed", key=key, records=records)

`docs/reference/metrics.md` is rendered from METRICS. The first argument of a log call is its *action*, a
fixed word to search for; the rest is ids, counts and sizes, never payloads, tokens or what a user typed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, TypeVar, cast

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector

from playhead.errors import PlayheadError


@contextlib.contextmanager
def _absent(module: str) -> Iterator[None]:
    """Imports of this module fail in the block, unless it is loaded already."""
    hidden = module not in sys.modules
    if hidden:
        sys.modules[module] = None  # type: ignore[assignment]  # what the import system takes for "is not there"
    try:
        yield
    finally:
        if hidden:
            del sys.modules[module]


# structlog loads rich, if it is there, for coloured tracebacks, which we never print: 5 MB in every process
with _absent("rich"):
    import structlog

Kind = Literal["counter", "gauge", "histogram"]

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
BYTES = (1e3, 1e4, 1e5, 1e6, 4e6, 1.6e7, 6.4e7)


@dataclass(frozen=True, slots=True)
class Metric:
    """One row of the table; `pooled` says how a gauge is joined over processes (sum, max, mostrecent)."""

    name: str
    kind: Kind
    unit: str
    labels: tuple[str, ...]
    meaning: str
    buckets: tuple[float, ...] = SECONDS
    pooled: str = "livesum"


def _count(name: str, unit: str, meaning: str, *labels: str) -> Metric:
    return Metric(name, "counter", unit, labels, meaning)


def _level(name: str, unit: str, meaning: str, *labels: str, pooled: str = "livesum") -> Metric:
    return Metric(name, "gauge", unit, labels, meaning, pooled=pooled)


def _spread(name: str, unit: str, meaning: str, *labels: str, buckets: tuple[float, ...] = SECONDS) -> Metric:
    return Metric(name, "histogram", unit, labels, meaning, buckets=buckets)


METRICS: tuple[Metric, ...] = (
    # -- HTTP
    _count("playhead_http_requests_total", "requests", "requests answered", "route", "method", "status"),
    _spread("playhead_http_request_seconds", "s", "first byte read to last byte sent", "route"),
    _count("playhead_http_refused_total", "requests", "requests refused, by code of the error", "reason"),
    _level("playhead_http_connections", "connections", "open connections"),
    # -- the way in
    _count("playhead_ingest_records_total", "records", "records acknowledged, hence durable", "kind"),
    _count("playhead_ingest_bytes_total", "bytes", "bytes of those records as they came", "kind"),
    _count("playhead_sessions_started_total", "sessions", "answers 200 to a start", "platform"),
    _level("playhead_journal_inflight_bytes", "bytes", "bytes waiting to be durable"),
    _level("playhead_journal_spool_bytes", "bytes", "segments on local disk that wait for the object store"),
    _spread("playhead_journal_flush_seconds", "s", "one group of records made durable"),
    _count("playhead_journal_segments_total", "segments", "sealed: direct, spooled, recovered", "way"),
    _spread("playhead_journal_segment_bytes", "bytes", "size of a sealed segment", buckets=BYTES),
    _count("playhead_journal_errors_total", "errors", "flushes and uploads that failed", "reason"),
    _level("playhead_journal_unindexed_segments", "segments", "durable segments whose index row waits"),
    # -- workers
    _level("playhead_segments_pending", "segments", "segments not yet processed", pooled="mostrecent"),
    _level("playhead_segments_pending_seconds", "s", "age of the oldest of them", pooled="mostrecent"),
    _count("playhead_worker_segments_total", "segments", "done, failed, hindered, lost", "outcome"),
    _spread("playhead_worker_segment_seconds", "s", "a segment, or small ones together, from claim to commit"),
    _count("playhead_worker_records_total", "records", "records processed, by fate", "kind", "fate"),
    _count("playhead_dead_letters_total", "records", "records put aside with a reason", "kind"),
    _count("playhead_recordings_total", "recordings", "new, renewed, unchanged, failed", "outcome"),
    _spread("playhead_recording_seconds", "s", "one recording, read to written"),
    _level("playhead_sessions_due", "sessions", "sessions that await their recording", pooled="mostrecent"),
    _count("playhead_retention_removed_total", "items", "sessions, segments, partitions, objects", "what"),
    _level("playhead_silent_projects", "projects", "sessions begin, but nothing comes of them", pooled="mostrecent"),
    # -- the disk under local objects
    _level("playhead_disk_used_ratio", "ratio", "share of the volume that is used", pooled="mostrecent"),
    _level("playhead_disk_level", "level", "0 room enough, 1 soft, 2 high, 3 hard mark", pooled="mostrecent"),
    # -- what must balance: accepted = stored + duplicate + expired + quarantined + pending
    _level("playhead_ledger", "items", "the ledger's counts", "project", "unit", "fate", pooled="mostrecent"),
    # -- what we stand on
    _level("playhead_dependency_up", "bool", "1: it answers", "dependency", pooled="mostrecent"),
    _count("playhead_process_restarts_total", "restarts", "child processes started again", "process"),
)  # fmt: skip

#: where prometheus_client keeps the numbers of several processes
POOL_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_C = TypeVar("_C", Counter, Gauge, Histogram)
_collectors: dict[str, Counter | Gauge | Histogram] = {}


def _build(metric: Metric) -> Counter | Gauge | Histogram:
    if metric.kind == "counter":
        return Counter(metric.name, metric.meaning, metric.labels)
    if metric.kind == "gauge":
        pooled = cast(Literal["livesum", "mostrecent", "max"], metric.pooled)
        return Gauge(metric.name, metric.meaning, metric.labels, multiprocess_mode=pooled)
    return Histogram(metric.name, metric.meaning, metric.labels, buckets=metric.buckets)


_collectors.update((metric.name, _build(metric)) for metric in METRICS)


def counter(name: str) -> Counter:
    """The counter of that row; KeyError or TypeError for a name that is no counter of the table."""
    return _typed(name, Counter)


def gauge(name: str) -> Gauge:
    """The gauge of that row."""
    return _typed(name, Gauge)


def histogram(name: str) -> Histogram:
    """The histogram of that row."""
    return _typed(name, Histogram)


def _typed(name: str, kind: type[_C]) -> _C:
    found = _collectors[name]
    if not isinstance(found, kind):
        raise TypeError(f"{name} is a {type(found).__name__.lower()}")
    return found


def render_metrics() -> tuple[bytes, str]:
    """(body, Content-Type) of `/metrics`: of all processes of this machine when the supervisor pools them."""
    registry = REGISTRY
    if os.environ.get(POOL_VARIABLE):  # prometheus_client itself reads this, so it cannot be a setting
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry), CONTENT_TYPE_LATEST


# -- log lines

#: keys whose values never reach a log line
SECRET_KEY = re.compile(
    r"token|secret|passw|authorization|cookie|credential|api_?key|admin_?key|signature|dsn|^body$|payload|content$",
    re.I,
)
#: values that give themselves away: JWTs, bearer headers, passwords inside URLs, our own keys
SECRET_VALUE = re.compile(
    r"eyJ[\w-]{6,}\.[\w-]+\.?[\w-]*|Bearer\s+\S+|(?<=://)[^/\s@]*@|\bph_[a-z]+_[\w-]{8,}", re.I
)
ACTION = re.compile(r"[a-z][a-z0-9_]*")
MAX_VALUE_CHARS = 200


def logger(name: str) -> structlog.typing.FilteringBoundLogger:
    """A logger whose lines carry `part=name`; works before `configure_logging`, which sets level and form."""
    return cast(structlog.typing.FilteringBoundLogger, structlog.get_logger(part=name))


def configure_logging(level: str, *, as_json: bool, process: str = "") -> None:
    """Send our lines and those of libraries to stderr, redacted; in colour on a terminal."""
    renderer: Any = structlog.processors.LogfmtRenderer(
        key_order=["time", "level", "action"], bool_as_flag=False
    )
    if as_json:
        renderer = structlog.processors.JSONRenderer()
    elif sys.stderr.isatty():
        renderer = structlog.dev.ConsoleRenderer(event_key="action", timestamp_key="time")
    numeric = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            structlog.processors.add_log_level,
            redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric),
        logger_factory=_StandardError,
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    _process.clear()
    if process:
        _process["process"] = process
    root = logging.getLogger()
    root.handlers[:] = [_LibraryLines()]
    root.setLevel(max(numeric, logging.INFO))
    for noisy in ("botocore", "boto3", "s3transfer", "urllib3", "httpx", "httpcore", "uvicorn"):
        logging.getLogger(noisy).setLevel(max(numeric, logging.WARNING))


_process: dict[str, str] = {}


def redact(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> Mapping[str, Any]:
    """Last step before rendering: names the action, cuts values, leaves out secrets and content."""
    action = str(line.pop("event", ""))
    if not ACTION.fullmatch(action):
        action = "unnamed"
    clean: dict[str, Any] = {"action": action, **_process}
    problem = line.pop("exc_info", None)
    for key, value in line.items():
        clean[key] = "[redacted]" if SECRET_KEY.search(key) else _short(value)
    if problem:
        clean.update(describe(problem if isinstance(problem, BaseException) else sys.exc_info()[1]))
    return clean


def describe(problem: BaseException | None) -> dict[str, str]:
    """An exception as log fields: class, our code, the places it passed. Its text may hold user data."""
    if problem is None:
        return {}
    fields = {"error": type(problem).__name__}
    if isinstance(problem, PlayheadError):
        fields["code"] = problem.code
    if problem.__cause__ is not None:
        fields["cause"] = type(problem.__cause__).__name__
    fields["at"] = " < ".join(reversed(_places(problem.__traceback__)))
    return fields


def _places(trace: TracebackType | None) -> list[str]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        places.append(f"{Path(code.co_filename).name}:{trace.tb_lineno}:{code.co_name}")
        trace = trace.tb_next
    return places[-8:]


def _short(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, BaseException):
        return type(value).__name__
    if isinstance(value, bytes | bytearray | memoryview):
        return f"<{len(value)} bytes>"
    text = SECRET_VALUE.sub("[redacted]", str(value))
    return text if len(text) <= MAX_VALUE_CHARS else text[:MAX_VALUE_CHARS] + "…"


class _StandardError:
    """Writes whole lines; a reader that has gone away stops nobody's work."""

    def __init__(self, *_args: Any) -> None:
        """structlog passes what get_logger was given."""

    def msg(self, line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            sys.stderr.write(line + "\n")
            sys.stderr.flush()

    debug = info = warning = error = critical = exception = log = msg


class _LibraryLines(logging.Handler):
    """Lines of libraries: the template's first line without arguments, which may be user data."""

    def emit(self, record: logging.LogRecord) -> None:
        template = str(record.msg).partition("\n")[0]
        problem = record.exc_info[1] if record.exc_info else None
        log = structlog.get_logger(part=record.name)
        log.log(record.levelno, "library_line", template=template, exc_info=problem)

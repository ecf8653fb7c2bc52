"""Video events of edX's mobile apps, turned into what the web player sends. Source: spec/segment-webhook.md 2.4."""

from __future__ import annotations

from typing import Any, Final

from ingest.course_keys import html_id

_TYPES: Final = {
    "edx.video.played": "play_video",
    "edx.video.paused": "pause_video",
    "edx.video.stopped": "stop_video",
    "edx.video.loaded": "load_video",
    "edx.video.position.changed": "seek_video",
    "edx.video.seeked": "seek_video",
    "edx.video.transcript.shown": "show_transcript",
    "edx.video.transcript.hidden": "hide_transcript",
    "edx.video.language_menu.shown": "video_show_cc_menu",
    "edx.video.language_menu.hidden": "video_hide_cc_menu",
}
_SEEKS: Final = {"slide": "onSlideSeek", "skip": "onSkipSeek"}
_SKIP_S: Final = 30
#: this build told its skips back as skips forward
_SKIPS_FORWARD: Final = {"name": "edx.mobileapp.iOS", "version": "1.0.02"}


def as_from_the_web(event: dict[str, Any]) -> None:
    """Changes a recorded event in place, if it is one of the known video events."""
    kind = _TYPES.get(event["name"])
    if kind is None:
        return
    event["event_type"] = kind
    if event["name"] == "edx.video.seeked":
        event["name"] = "edx.video.position.changed"
    payload, context = event["event"], event["context"]
    if not isinstance(payload, dict) or not payload:
        return
    payload = event["event"] = dict(payload)
    if "module_id" in payload and (name := html_id(payload.pop("module_id"))):
        payload["id"] = name
    if "current_time" in payload:
        payload["currentTime"] = payload.pop("current_time")
    _seek(payload)
    if "open_in_browser_url" in context:
        event["page"] = str(context.pop("open_in_browser_url")).rpartition("/")[0]
    application = context.get("application")
    if isinstance(application, dict) and application.items() >= _SKIPS_FORWARD.items():
        skips = payload.get("type") == "onSkipSeek"
        if skips and payload.get("requested_skip_interval") == _SKIP_S:
            payload["requested_skip_interval"] = -_SKIP_S


def _seek(payload: dict[str, Any]) -> None:
    """The kind of seek; a skip of another length than the button's was a slide."""
    if "seek_type" in payload:
        seek = payload.pop("seek_type")
        if isinstance(seek, str) and seek in _SEEKS:
            payload["type"] = _SEEKS[seek]
    interval = payload.get("requested_skip_interval")
    if isinstance(interval, (int, float)) and abs(interval) != _SKIP_S and "type" in payload:
        payload["type"] = "onSlideSeek"

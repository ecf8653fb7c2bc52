"""Every knob, read once: default, unit in its name, one line of meaning.

`docs/reference/settings.md` is rendered from here. Nothing else reads the environment.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from playhead.errors import BadSettings

PREFIX = "PLAYHEAD_"

Positive = Annotated[int, Field(gt=0)]
Rate = Annotated[int, Field(ge=0)]
Percent = Annotated[float, Field(gt=0, le=100)]
Seconds = Annotated[float, Field(gt=0)]


class Settings(BaseModel):
    """All settings of one process; immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    # -- where things are
    data_dir: Path = Field(
        Path("playhead-data"), description="embedded Postgres, local objects, spool, generated secrets"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8080, description="port to listen on; 0 picks a free one"
    )
    database_url: str = Field(
        "", description="`postgresql://…`; empty: embedded Postgres under the data directory"
    )
    redis_url: str = Field("", description="`redis://…`: shared cache layer; empty: memory cache alone")
    objects_url: str = Field(
        "", description="`file:///path` or `s3://bucket/prefix`; empty: `<data dir>/objects`"
    )
    s3_endpoint_url: str = Field("", description="endpoint of an S3 server that is not AWS")
    s3_region: str = Field("", description="region of the bucket")
    public_url: str = Field(
        "", description="address that browsers and phones use, if it differs from host and port"
    )
    geoip_path: str = Field("", description="a GeoLite2/GeoIP2 City `.mmdb` file; empty: countries unknown")

    # -- who may do what
    token_secrets: str = Field(
        "", description="comma-separated; the first signs, all verify; empty: generated once", repr=False
    )
    admin_key: str = Field(
        "", description="full access to all projects; empty: generated once and printed", repr=False
    )
    sign_in_ttl_h: Positive = Field(720, description="how long a browser stays signed in to the player, h")
    sign_in_link_ttl_s: Positive = Field(
        900, description="how long a link of `playhead sign-in` can be used, once, s"
    )
    default_project: str = Field("", description="project key for protocols whose requests name no project")
    trusted_proxies: str = Field(
        "", description="comma-separated addresses or networks whose `X-Forwarded-For` is believed"
    )
    cors_origins: str = Field("*", description="`Access-Control-Allow-Origin` on ingest routes; empty: none")

    # -- processes
    http_processes: Positive = Field(1, description="HTTP processes under `serve` and `http`")
    worker_processes: Positive = Field(1, description="worker processes under `serve` and `work`")
    log_level: str = Field("info", description="debug, info, warning, error")
    log_json: bool = Field(False, description="log lines as JSON")
    shutdown_drain_s: Annotated[float, Field(ge=0)] = Field(
        0, description="how long requests are still taken after SIGTERM while `/readyz` answers 503, s"
    )
    shutdown_grace_s: Seconds = Field(10, description="how long requests in flight may take after that, s")

    # -- limits
    max_batch_bytes: Positive = Field(8_000_000, description="body of one append as sent; larger answers 413")
    max_images_bytes: Positive = Field(
        32_000_000, description="body of one image upload as sent; larger answers 413"
    )
    max_json_bytes: Positive = Field(
        1_048_576, description="JSON body of any other request; larger answers 413"
    )
    max_unpacked_bytes: Positive = Field(
        64_000_000, description="a batch or archive after decompression; more is quarantined"
    )
    max_string_bytes: Positive = Field(1_048_576, description="one string of a message; longer ones are cut")
    max_messages: Positive = Field(100_000, description="messages in one batch; more is quarantined")
    max_frames: Positive = Field(2_000, description="pictures in one archive; more is quarantined")
    max_frame_bytes: Positive = Field(8_000_000, description="one picture; larger ones are quarantined")
    min_body_bytes_per_s: Positive = Field(
        1_000, description="slower request bodies are cut off, B/s after 10 s"
    )
    header_timeout_s: Seconds = Field(20, description="time to send the request line and headers, s")
    max_connections: Positive = Field(
        20_000, description="open connections per HTTP process; more answer 503"
    )

    # -- how often, per HTTP process; 0: no bound; more answers 429
    starts_per_address_per_min: Rate = Field(
        3_000, description="sessions begun from one public address, which may be a carrier's"
    )
    starts_per_device_per_min: Rate = Field(60, description="sessions begun by one device (`userUUID`)")
    starts_per_project_per_s: Rate = Field(2_000, description="sessions begun in one project")
    appends_per_session_per_s: Rate = Field(50, description="batches and archives of one session")
    requests_per_address_per_s: Rate = Field(
        2_000, description="requests of other collectors' clients from one public address"
    )
    requests_per_project_per_s: Rate = Field(
        10_000, description="requests of other collectors' clients to one project"
    )

    # -- journal
    segment_target_bytes: Positive = Field(16_000_000, description="a segment is sealed at this size")
    segment_max_age_ms: Positive = Field(
        250, description="a segment on local files is sealed at this age, ms"
    )
    linger_ms: Annotated[int, Field(ge=0)] = Field(
        100, description="how long a segment for S3 gathers records, ms"
    )
    journal_puts: Positive = Field(4, description="segments in flight to S3 at once")
    journal_inflight_bytes: Positive = Field(
        256_000_000,
        description="bytes waiting to be durable; more answers 503 (all processes: an eighth of the memory at most, "
        "but each has room for the largest body)",
    )
    put_timeout_s: Seconds = Field(5, description="wait for the object store before the spool takes over, s")
    spool_max_bytes: Annotated[int, Field(ge=0)] = Field(
        2_000_000_000, description="local spool while S3 is away; 0: no spool, 503 at once"
    )
    sweep_interval_s: Seconds = Field(
        60, description="how often segments without an index row are looked for, s"
    )

    # -- the disk under local objects
    disk_soft_percent: Percent = Field(
        80, description="in use: the SDKs are asked for lower quality and fewer sessions, %"
    )
    disk_high_percent: Percent = Field(
        90, description="in use: pictures of the least valuable sessions are removed, %"
    )
    disk_hard_percent: Percent = Field(97, description="in use: new sessions are refused, %")
    disk_headroom_bytes: Positive = Field(
        16_000_000_000,
        description="while this much is free no mark counts (a half of it for the high, an eighth for the hard)",
    )
    disk_soft_sample_percent: Percent = Field(
        50, description="share of sessions that are still recorded above the soft mark, %"
    )
    disk_reserve_bytes: Annotated[int, Field(ge=0)] = Field(
        64_000_000, description="kept back so that cleaning up has room on a full disk"
    )

    # -- processing
    claim_timeout_s: Seconds = Field(
        60,
        description="a dead worker's claim is free after this, s; from 20 on one that hangs has ended before",
    )
    segment_attempts: Positive = Field(
        2, description="failures of a segment before it is processed record by record"
    )
    session_quiet_s: Seconds = Field(150, description="a session without new data for this long has ended, s")
    token_grace_days: Annotated[float, Field(ge=0)] = Field(
        30, description="age past its end at which a signed token is still taken by `/late`, days"
    )
    recording_keep_s: Seconds = Field(
        600, description="how long a replaced version of a recording stays readable, s"
    )
    frames_object_bytes: Positive = Field(
        8_000_000, description="size of one object of pictures in a recording"
    )
    retention_interval_s: Seconds = Field(3600, description="how often expired data is removed, s")

    # -- what the SDKs are told
    mobile_fps: Annotated[int, Field(ge=1, le=99)] = Field(1, description="screenshots per second (iOS)")
    mobile_quality: str = Field("standard", description="low, standard or high (iOS)")
    frames_support: bool = Field(True, description="let iOS send the frames format instead of tar")
    min_tracker_version: str = Field("1.0.9", description="older trackers are answered 426")

    export_max_bytes: Positive = Field(
        200_000_000, description="pictures of one HTML export (more are thinned out), or a video"
    )
    export_timeout_s: Seconds = Field(300, description="making one video may take this long, s")

    # -- cache
    cache_ttl_s: Seconds = Field(60, description="life of a cached project, s (jitter of a tenth)")
    cache_negative_ttl_s: Seconds = Field(5, description="life of a cached absence, s")
    cache_entries: Positive = Field(50_000, description="entries of each memory cache")

    # -- database
    database_pool_size: Positive = Field(10, description="connections per process")
    database_timeout_s: Seconds = Field(30, description="one statement of a worker, s")
    query_timeout_s: Seconds = Field(10, description="one statement of a reading request, s")

    @field_validator("log_level")
    @classmethod
    def _known_level(cls, value: str) -> str:
        if value.lower() not in {"debug", "info", "warning", "error"}:
            raise ValueError("one of debug, info, warning, error")
        return value.lower()

    @field_validator("mobile_quality")
    @classmethod
    def _known_quality(cls, value: str) -> str:
        if value not in {"low", "standard", "high"}:
            raise ValueError("one of low, standard, high")
        return value

    @field_validator("database_url", "redis_url", "objects_url", "s3_endpoint_url", "public_url")
    @classmethod
    def _known_scheme(cls, value: str, info: Any) -> str:
        schemes = {
            "database_url": {"postgresql", "postgres"},
            "redis_url": {"redis", "rediss", "unix"},
            "objects_url": {"file", "s3"},
        }.get(info.field_name, {"http", "https"})
        if value and urlsplit(value).scheme not in schemes:
            raise ValueError(f"must start with one of {', '.join(sorted(s + '://' for s in schemes))}")
        return value

    @property
    def objects_location(self) -> str:
        """The object store's URL with the default filled in."""
        return self.objects_url or f"file://{(self.data_dir / 'objects').resolve()}"


def load(environ: Mapping[str, str], *, config: Path | None = None, **overrides: Any) -> Settings:
    """Settings from a TOML file, the environment over it, and `overrides` over both.

    Raises BadSettings with every fault at once: unknown names, bad values, an unreadable file.
    """
    faults: list[str] = []
    values: dict[str, Any] = {}
    config = config or (Path(environ[PREFIX + "CONFIG"]) if environ.get(PREFIX + "CONFIG") else None)
    if config is not None:
        try:
            values.update(tomllib.loads(config.read_text("utf-8")))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
            faults.append(f"{config}: {problem}")
    for name, value in environ.items():
        if name.startswith(PREFIX) and name != PREFIX + "CONFIG":
            values[name.removeprefix(PREFIX).lower()] = value
    values.update({name: value for name, value in overrides.items() if value is not None})
    try:
        settings = Settings.model_validate(values)
    except ValidationError as problem:
        for error in problem.errors():
            name = str(error["loc"][0]) if error["loc"] else "?"
            what = "no such setting" if error["type"] == "extra_forbidden" else error["msg"]
            faults.append(f"{PREFIX}{name.upper()}: {what}")
        raise BadSettings(faults) from None
    if faults:
        raise BadSettings(faults)
    return settings

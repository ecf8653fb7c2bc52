# Playhead: HTTP, workers and, unless PLAYHEAD_DATABASE_URL is set, a Postgres of its own.
#   docker build -t playhead . && docker run -p 8080:8080 -v playhead:/data playhead
FROM python:3.11-slim AS build
WORKDIR /src
COPY requirements/run.lock requirements/run.lock
RUN python -m venv /opt/playhead \
    && /opt/playhead/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.lock
COPY . .
RUN /opt/playhead/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --no-build-isolation .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin playhead \
    && install --directory --owner playhead --group playhead --mode 0700 /data
COPY --from=build /opt/playhead /opt/playhead
ENV PATH=/opt/playhead/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PLAYHEAD_HOST=0.0.0.0 \
    PLAYHEAD_DATA_DIR=/data
USER playhead
WORKDIR /data
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=3)"]
ENTRYPOINT ["playhead"]
CMD ["serve"]

/**
 * Numbers, durations, times and places as text. Pure; `locale` undefined means the viewer's.
 *
 * @typedef {Intl.LocalesArgument} Locale
 */

const MINUS = "\u2212";
const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** @type {Map<string, any>} */
const made = new Map();

/**
 * Formatters cost much to make and are asked for in every row.
 *
 * @template T
 * @param {string} kind @param {Locale} locale @param {object} options
 * @param {new (locale: any, options: any) => T} Make
 * @returns {T}
 */
function formatter(kind, locale, options, Make) {
  const key = `${kind} ${locale} ${JSON.stringify(options)}`;
  if (!made.has(key)) made.set(key, new Make(locale, options));
  return made.get(key);
}

/** @param {number} number @param {Intl.NumberFormatOptions} options @param {Locale} locale */
function numeric(number, options, locale) {
  return formatter("number", locale, options, Intl.NumberFormat).format(number);
}

/** A clock: `0:07`, `12:34`, `1:02:03`. @param {number} ms */
export function clock(ms) {
  const seconds = Math.floor(Math.abs(ms) / SECOND);
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const text = hours ? `${hours}:${two(minutes % 60)}:${two(seconds % 60)}` : `${minutes}:${two(seconds % 60)}`;
  return ms <= -SECOND ? MINUS + text : text;
}

/** A clock with milliseconds: `0:07.250`. @param {number} ms */
export function preciseClock(ms) {
  const part = String(Math.floor(Math.abs(ms) % SECOND)).padStart(3, "0");
  const text = `${clock(Math.abs(ms))}.${part}`;
  return ms < 0 ? MINUS + text : text;
}

/**
 * A length of time, short: `320 ms`, `4.2 s`, `3 min 5 s`, `2 h 10 min`, `3 d 4 h`.
 *
 * @param {number} ms
 * @param {Locale} [locale]
 * @returns {string}
 */
export function duration(ms, locale) {
  if (ms < 0) return MINUS + duration(-ms, locale);
  if (ms < SECOND) return `${Math.round(ms)} ms`;
  if (ms < 10 * SECOND) return `${numeric(Math.floor(ms / 100) / 10, { maximumFractionDigits: 1 }, locale)} s`;
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s`;
  if (ms < HOUR) return pair(ms, MINUTE, "min", SECOND, "s");
  if (ms < DAY) return pair(ms, HOUR, "h", MINUTE, "min");
  return pair(ms, DAY, "d", HOUR, "h");
}

/**
 * @param {number} ms
 * @param {number} large
 * @param {string} unit
 * @param {number} small
 * @param {string} rest
 */
function pair(ms, large, unit, small, rest) {
  const more = Math.floor((ms % large) / small);
  return `${Math.floor(ms / large)} ${unit}${more ? ` ${more} ${rest}` : ""}`;
}

/** A length of time for screen readers: `3 minutes 5 seconds`. @param {number} ms @param {Locale} [locale] */
export function spokenDuration(ms, locale) {
  const seconds = Math.max(0, Math.floor(ms / SECOND));
  /** @type {[number, string][]} */
  const parts = [
    [Math.floor(seconds / 3600), "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [seconds % 60, "second"],
  ];
  const said = parts
    .filter(([count], i) => count > 0 || (i === 2 && seconds === 0))
    .map(([count, unit]) => numeric(count, { style: "unit", unit, unitDisplay: "long" }, locale));
  return said.join(" ");
}

/** `640 B`, `12.3 kB`, `4.5 MB`. @param {number} size @param {Locale} [locale] */
export function bytes(size, locale) {
  const units = ["B", "kB", "MB", "GB", "TB"];
  let value = size;
  let unit = 0;
  while (Math.abs(value) >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${numeric(value, { maximumFractionDigits: unit && Math.abs(value) < 100 ? 1 : 0 }, locale)} ${units[unit]}`;
}

/** `1,234`. @param {number} number @param {Locale} [locale] */
export function count(number, locale) {
  return numeric(number, {}, locale);
}

/** `1.2K`, where the width is small. @param {number} number @param {Locale} [locale] */
export function shortCount(number, locale) {
  return numeric(number, number < 10_000 ? {} : { notation: "compact", maximumFractionDigits: 1 }, locale);
}

/**
 * `1 event`, `2 events`.
 *
 * @param {number} number
 * @param {string} one
 * @param {string} [many]
 * @param {Locale} [locale]
 */
export function plural(number, one, many = `${one}s`, locale = undefined) {
  return `${count(number, locale)} ${number === 1 ? one : many}`;
}

/** `12 %`-like with the locale's sign. @param {number} share 0 to 1 @param {Locale} [locale] */
export function percent(share, locale) {
  return numeric(
    share,
    { style: "percent", maximumFractionDigits: share && Math.abs(share) < 0.1 ? 1 : 0 },
    locale,
  );
}

/**
 * A country's name; the code itself where it has none.
 *
 * @param {string} code ISO 3166
 * @param {Locale} [locale]
 */
export function country(code, locale) {
  if (!/^[A-Za-z]{2}$/.test(code) || code.toUpperCase() === "UN") return code === "UN" ? "" : code;
  try {
    return (
      formatter("region", locale, { type: "region" }, /** @type {any} */ (Intl.DisplayNames)).of(
        code.toUpperCase(),
      ) ?? code
    );
  } catch {
    return code;
  }
}

/**
 * A device's zone as minutes east of UTC (`UTC+02:00`, `GMT-3`, `UTC`) or an IANA name; null: unknown.
 *
 * @param {string} zone
 * @returns {number | string | null}
 */
export function parseZone(zone) {
  const found = /^(?:UTC|GMT)?\s*(?:([+\u2212-])(\d{1,2})(?::?(\d{2}))?)?$/.exec(zone.trim());
  if (found && zone.trim()) {
    const [, sign, hours, minutes] = found;
    if (!sign) return 0;
    const value = Number(hours) * 60 + Number(minutes ?? 0);
    return value > 18 * 60 ? null : sign === "+" ? value : -value;
  }
  if (!/^[A-Za-z_]+\/[A-Za-z_/+-]+[0-9]*$/.test(zone)) return null;
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return zone;
  } catch {
    return null;
  }
}

/** `UTC+2`, where the width is small. @param {number | string} zone */
export function shortZoneName(zone) {
  return zoneName(zone)
    .replace(/(?<=[+\u2212])0(?=\d)/, "")
    .replace(/:00$/, "");
}

/** `UTC+02:00`. @param {number | string} zone */
export function zoneName(zone) {
  if (typeof zone === "string") return zone;
  if (zone === 0) return "UTC";
  const size = Math.abs(zone);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  return `UTC${zone < 0 ? MINUS : "+"}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/**
 * @param {number} ms @param {number | string | undefined} zone undefined: the viewer's
 * @param {Intl.DateTimeFormatOptions} options @param {Locale} locale
 */
function moment(ms, zone, options, locale) {
  const shift = typeof zone === "number" ? zone * MINUTE : 0;
  const timeZone = typeof zone === "number" ? "UTC" : zone;
  if (!Number.isFinite(ms) || Math.abs(ms + shift) > 8.64e15) return "unknown time";
  return formatter("date", locale, { ...options, timeZone }, Intl.DateTimeFormat).format(ms + shift);
}

/**
 * Day and time; the year only when it is not this one.
 *
 * @param {number} ms
 * @param {{zone?: number | string, now_ms?: number, locale?: Locale}} [options]
 *   zone: see parseZone; undefined: the viewer's
 */
export function dateTime(ms, { zone, now_ms = Date.now(), locale } = {}) {
  const year = (/** @type {number} */ at) => moment(at, zone, { year: "numeric" }, "en");
  /** @type {Intl.DateTimeFormatOptions} */
  const options = { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit" };
  return moment(ms, zone, year(ms) === year(now_ms) ? options : { ...options, year: "numeric" }, locale);
}

/**
 * Day and time to the second with the zone's name.
 *
 * @param {number} ms
 * @param {{zone?: number | string, locale?: Locale}} [options]
 */
export function fullTime(ms, { zone, locale } = {}) {
  const text = moment(ms, zone, { dateStyle: "medium", timeStyle: "medium" }, locale);
  return `${text} ${zone === undefined ? viewerZone() : zoneName(zone)}`;
}

/**
 * Time of day to the second.
 *
 * @param {number} ms
 * @param {{zone?: number | string, locale?: Locale}} [options]
 */
export function timeOfDay(ms, { zone, locale } = {}) {
  return moment(ms, zone, { hour: "2-digit", minute: "2-digit", second: "2-digit" }, locale);
}

/**
 * Time of day to the minute.
 *
 * @param {number} ms
 * @param {{zone?: number | string, locale?: Locale}} [options]
 */
export function shortTime(ms, { zone, locale } = {}) {
  return moment(ms, zone, { hour: "2-digit", minute: "2-digit" }, locale);
}

/** The day, to compare: `2026-01-31`-like. @param {number} ms @param {{zone?: number | string}} [options] */
export function day(ms, { zone } = {}) {
  return moment(ms, zone, { year: "numeric", month: "2-digit", day: "2-digit" }, "en-CA");
}

/** The viewer's zone by name. */
export function viewerZone() {
  return formatter("date", undefined, {}, Intl.DateTimeFormat).resolvedOptions().timeZone;
}

/**
 * How long ago: `just now`, `5 min ago`, `yesterday`.
 *
 * @param {number} ms
 * @param {number} now_ms
 * @param {Locale} [locale]
 */
export function ago(ms, now_ms, locale) {
  const past = now_ms - ms;
  if (Math.abs(past) < MINUTE) return "just now";
  const relative = formatter("relative", locale, { numeric: "auto", style: "short" }, Intl.RelativeTimeFormat);
  for (const [unit, size] of /** @type {const} */ ([
    ["day", DAY],
    ["hour", HOUR],
  ])) {
    if (Math.abs(past) >= size) return relative.format(-Math.trunc(past / size), unit);
  }
  return relative.format(-Math.trunc(past / MINUTE), "minute");
}

/**
 * The API's answers as the pages read them. Times in ms since the epoch, UTC; `*_ms` are corrected by the server's
 * clock unless they are named `device_*`.
 *
 * @typedef {{field: string, code: string, message: string}} ErrorDetail
 * @typedef {{admin: boolean, role: string, project: string | null}} Me  who is signed in; project: the only one it sees
 * @typedef {{key: string, name: string, platform: string, active: boolean, sample_rate: number}} Project
 *
 * @typedef {{uuid: string | null, id: string | null, anonymous_id: string | null}} User
 * @typedef {object} Device
 * @property {string} model  hardware id
 * @property {string} name  marketing name
 * @property {string} type  `mobile`, `tablet` …
 * @property {string} os
 * @property {string} os_version
 * @property {number} memory_kb
 * @property {number} width  points (iOS) or pixels (Android)
 * @property {number} height
 *
 * @typedef {object} Counts
 * @property {number} messages
 * @property {number} events
 * @property {number} clicks
 * @property {number} swipes
 * @property {number} inputs
 * @property {number} views
 * @property {number} network
 * @property {number} network_errors
 * @property {number} logs
 * @property {number} crashes
 * @property {number} frames
 * @property {number} bytes
 *
 * @typedef {{type: string, at_ms: number | null, title: string | null, detail: Record<string, any> | null}} Issue
 *
 * @typedef {object} ReplayOut
 * @property {string} session_id
 * @property {string | null} project
 * @property {"live" | "ready"} status
 * @property {string} platform
 * @property {number} started_ms
 * @property {number} duration_ms
 * @property {number | null} received_ms
 * @property {number} clock_offset_ms  corrected = device + offset
 * @property {User} user
 * @property {Device} device
 * @property {{tracker_version: string, revision: string}} app
 * @property {{country: string, state: string, city: string}} geo
 * @property {string} timezone  of the device, like `UTC+02:00`
 * @property {Record<string, string>} metadata
 * @property {Counts} counts
 * @property {Issue[]} issues  in lists only their `type`
 * @property {string | null} continues  the session that this one goes on from
 * @property {Record<string, any> | null} [completeness]
 *
 * @typedef {{replays: ReplayOut[], next_cursor: string | null}} ReplaysOut
 *
 * @typedef {object} IssueGroup  findings of many sessions that are the same
 * @property {string} fingerprint
 * @property {string} type
 * @property {string} title  of the newest
 * @property {number} count
 * @property {number} sessions
 * @property {number} users
 * @property {number} first_seen_ms
 * @property {number} last_seen_ms
 * @property {{session_id: string, started_ms: number, at_ms: number}[]} replays  some of the newest
 *
 * @typedef {{issues: IssueGroup[], next_cursor: string | null}} IssuesOut
 * @typedef {{value: string, count?: number | null}} Suggestion  count: of sessions, as far as it was counted (100)
 */

/**
 * @import { Api } from "./api.js"
 * @import { TemplateResult } from "./vendor/lit-html/lit-html.js"
 */

/**
 * What a page is given when it opens.
 *
 * @typedef {object} Context
 * @property {HTMLElement} root  the page draws into it, alone
 * @property {Api} api
 * @property {(url: string, options?: {replace?: boolean, state?: unknown}) => void} navigate
 * @property {Me} me
 * @property {readonly Project[]} projects  those that the caller sees, now
 * @property {() => Promise<void>} identify  reads anew who is signed in and the projects; throws ApiError
 * @property {Location} location
 * @property {Record<string, string>} params  of the path, like `session_id`
 * @property {string | null} before  address of the page that this tab showed before, if it was one of ours
 * @property {(title: string) => void} title  names the page in the tab
 * @property {(text: string) => void} announce  says something to screen readers
 * @property {(key: string | null) => void} project  tells the bar which project is looked at
 *
 * @typedef {[keys: string, meaning: string]} Shortcut
 *
 * What it gives back. `draw` is drawn into `root` once after opening; later drawings are the page's own
 * (`render(draw(), root)` in its store).
 *
 * @typedef {object} Page
 * @property {() => TemplateResult} draw
 * @property {() => void} close  stops everything that it started
 * @property {() => void} [moved]  the address changed, but its path did not; without it the page is opened again
 * @property {() => Shortcut[]} [shortcuts]  for the help overlay; keys separated by blanks
 */

export {};

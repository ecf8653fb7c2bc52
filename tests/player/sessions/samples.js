/** @import { ReplayOut } from "../../../player/types.js" */

/**
 * A session as the API gives it, with these members.
 *
 * @param {Partial<ReplayOut>} members
 * @returns {ReplayOut}
 */
export function replay(members = {}) {
  return {
    session_id: "1",
    project: "shop",
    status: "ready",
    platform: "ios",
    started_ms: Date.UTC(2026, 0, 1, 12),
    duration_ms: 61_000,
    received_ms: Date.UTC(2026, 0, 1, 12, 2),
    clock_offset_ms: 0,
    user: { uuid: "3F2504E0-4F89-41D3-9A0C-0305E82C3301", id: "alice", anonymous_id: null },
    device: {
      model: "iPhone15,2",
      name: "iPhone 14 Pro",
      type: "mobile",
      os: "IOS",
      os_version: "17.4",
      memory_kb: 6_000_000,
      width: 393,
      height: 852,
    },
    app: { tracker_version: "1.0.14", revision: "N/A" },
    geo: { country: "DE", state: "Berlin", city: "Berlin" },
    timezone: "UTC+02:00",
    metadata: {},
    counts: {
      messages: 240,
      events: 9,
      clicks: 12,
      swipes: 0,
      inputs: 0,
      views: 1,
      network: 8,
      network_errors: 1,
      logs: 0,
      crashes: 0,
      frames: 61,
      bytes: 512_000,
    },
    issues: [],
    continues: null,
    ...members,
  };
}

/** @param {string[]} types */
export function issues(...types) {
  return types.map((type) => ({ type, at_ms: null, title: null, detail: null }));
}

// Types that the panels share; nothing at run time.

/** @typedef {import("../replay/data.js").Replay} Replay */
/** @typedef {import("../replay/data.js").Columns} Columns */

/**
 * What a panel is drawn from: the replay, the time, its own state and what it may do.
 * @typedef {{replay: Replay, position_ms: number, seek: (ms: number) => void, api: import('../api.js').Api,
 *   state: Record<string, any>, set: (patch: Record<string, any>) => void}} PanelView
 */

/**
 * A panel beside the stage; `count` is what its tab tells, null for nothing to tell.
 * @typedef {{id: string, title: string, count: (replay: Replay) => number | null,
 *   draw: (view: PanelView) => import('../vendor/lit-html/lit-html.js').TemplateResult}} Panel
 */

export {};

/**
 * Which panel is shown. Pure.
 *
 * @import { Panel } from "./side.js"
 */

/**
 * The panel that is shown: the chosen one, or the first.
 * @param {readonly Panel[]} panels
 * @param {string} id
 */
export function panelNamed(panels, id) {
  return panels.find((panel) => panel.id === id) ?? panels[0];
}

/**
 * The panel beside another one, round and round.
 * @param {readonly Panel[]} panels
 * @param {string} id
 * @param {1 | -1} way
 */
export function panelBeside(panels, id, way) {
  const place = panels.indexOf(panelNamed(panels, id));
  return panels[(place + way + panels.length) % panels.length]?.id ?? id;
}

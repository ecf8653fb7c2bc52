// All panels beside the stage, in the order of their tabs.

import { crashPanel } from "./crash_panel.js";
import { eventsPanel } from "./events_panel.js";
import { graphqlPanel } from "./graphql_panel.js";
import { logsPanel } from "./logs_panel.js";
import { networkPanel } from "./network_panel.js";
import { performancePanel } from "./performance_panel.js";
import { screensPanel } from "./screens_panel.js";
import { sessionPanel } from "./session_panel.js";

export { completeness } from "./completeness.js";

/** @type {import("./panel_types.js").Panel[]} */
export const panels = [
  eventsPanel,
  networkPanel,
  logsPanel,
  graphqlPanel,
  performancePanel,
  crashPanel,
  screensPanel,
  sessionPanel,
];

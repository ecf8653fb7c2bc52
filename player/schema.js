// Rendered from messages/schema.py, messages/gauges.py and sessions/timeline.py by `make docs`; do not edit.

/** @typedef {{name: string, fields: Record<string, string>}} MessageKind fields: name on the wire -> unit */
/** @typedef {{title: string, unit: string, meaning: string, states: Record<number, string>}} Gauge */

/** Message number -> what it is today.
 * @type {Record<number, MessageKind>} */
export const MESSAGES = {
  92: {"name": "MobileMetadata", "fields": {"Key": "", "Value": ""}},
  93: {"name": "MobileEvent", "fields": {"Name": "", "Payload": ""}},
  94: {"name": "MobileUserID", "fields": {"ID": ""}},
  95: {"name": "MobileUserAnonymousID", "fields": {"ID": ""}},
  96: {"name": "MobileScreenChanges", "fields": {"X": "pt/px", "Y": "pt/px", "Width": "pt/px", "Height": "pt/px"}},
  97: {"name": "MobileCrash", "fields": {"Name": "", "Reason": "", "Stacktrace": ""}},
  98: {"name": "MobileViewComponentEvent", "fields": {"ScreenName": "", "ViewName": "", "Visible": ""}},
  100: {"name": "MobileClickEvent", "fields": {"Label": "", "X": "pt/px", "Y": "pt/px"}},
  101: {"name": "MobileInputEvent", "fields": {"Value": "", "ValueMasked": "", "Label": ""}},
  102: {"name": "MobilePerformanceEvent", "fields": {"Name": "", "Value": ""}},
  103: {"name": "MobileLog", "fields": {"Severity": "", "Content": ""}},
  104: {"name": "MobileInternalError", "fields": {"Content": ""}},
  105: {"name": "MobileNetworkCall", "fields": {"Type": "", "Method": "", "URL": "", "Request": "", "Response": "", "Status": "", "Duration": "ms"}},
  106: {"name": "MobileSwipeEvent", "fields": {"Label": "", "X": "pt/px", "Y": "pt/px", "Direction": ""}},
  107: {"name": "MobileBatchMeta", "fields": {"FirstIndex": ""}},
  109: {"name": "MobileGraphQL", "fields": {"OperationKind": "", "OperationName": "", "Variables": "", "Response": "", "Duration": "ms"}},
};

/** Track of the timeline -> numbers of the messages in it.
 * @type {Record<string, number[]>} */
export const TRACK_TYPES = {
  metadata: [92],
  events: [93],
  users: [94],
  anonymous: [95],
  screens: [96],
  crashes: [97],
  views: [98, 99],
  taps: [100],
  inputs: [101],
  performance: [102],
  logs: [103],
  errors: [104],
  network: [105],
  swipes: [106],
  graphql: [109],
};

/** Name in MobilePerformanceEvent -> what its value is, by platform.
 * @type {Record<string, {ios: Gauge, android: Gauge}>} */
export const GAUGES = {
  mainThreadCPU: {"ios": {"title": "Main thread CPU", "unit": "%", "meaning": "percent 0..100 of the first thread", "states": {}}, "android": {"title": "Main thread load", "unit": "ms", "meaning": "ms that a fixed loop took", "states": {}}},
  memoryUsage: {"ios": {"title": "Memory used", "unit": "bytes", "meaning": "bytes used", "states": {}}, "android": {"title": "Memory used", "unit": "MiB", "meaning": "MiB", "states": {}}},
  fps: {"ios": {"title": "Frames per second", "unit": "frames/s", "meaning": "frames per second, 0..120", "states": {}}, "android": {"title": "Frames per second", "unit": "frames/s", "meaning": "frames per second, 0..120", "states": {}}},
  background: {"ios": {"title": "In background", "unit": "state", "meaning": "", "states": {"1": "left", "0": "returned"}}, "android": {"title": "In background", "unit": "state", "meaning": "", "states": {"1": "left", "0": "returned"}}},
  batteryLevel: {"ios": {"title": "Battery", "unit": "%", "meaning": "percent 0..100", "states": {}}, "android": {"title": "Battery", "unit": "%", "meaning": "percent 0..100", "states": {}}},
  batteryState: {"ios": {"title": "Battery state", "unit": "state", "meaning": "", "states": {"0": "unknown", "1": "unplugged", "2": "charging", "3": "full"}}, "android": {"title": "Battery state", "unit": "state", "meaning": "", "states": {"0": "unknown", "1": "unplugged", "2": "charging", "3": "full"}}},
  thermalState: {"ios": {"title": "Thermal state", "unit": "state", "meaning": "", "states": {"0": "nominal", "1": "fair", "2": "serious", "3": "critical"}}, "android": {"title": "Thermal state", "unit": "state", "meaning": "", "states": {"0": "nominal", "1": "fair", "2": "serious", "3": "critical"}}},
  isLowPowerModeEnabled: {"ios": {"title": "Low power mode", "unit": "state", "meaning": "", "states": {"0": "off", "1": "on"}}, "android": {"title": "Low power mode", "unit": "state", "meaning": "", "states": {"0": "off", "1": "on"}}},
  orientation: {"ios": {"title": "Orientation", "unit": "state", "meaning": "", "states": {"0": "unknown", "1": "portrait", "2": "upside down", "3": "landscape left", "4": "landscape right", "5": "face up", "6": "face down"}}, "android": {"title": "Orientation", "unit": "state", "meaning": "", "states": {"0": "portrait", "3": "landscape"}}},
  memoryWarning: {"ios": {"title": "Memory warning", "unit": "event", "meaning": "always 0: an event without a value", "states": {}}, "android": {"title": "Memory warning", "unit": "event", "meaning": "always 0: an event without a value", "states": {}}},
  lowDiskSpace: {"ios": {"title": "Low disk space", "unit": "event", "meaning": "always 0: an event without a value", "states": {}}, "android": {"title": "Low disk space", "unit": "event", "meaning": "always 0: an event without a value", "states": {}}},
  networkState: {"ios": {"title": "Network", "unit": "state", "meaning": "", "states": {"0": "cellular", "1": "Wi-Fi or wired"}}, "android": {"title": "Network", "unit": "state", "meaning": "", "states": {"0": "cellular", "1": "Wi-Fi or wired"}}},
  physicalMemory: {"ios": {"title": "Physical memory", "unit": "bytes", "meaning": "bytes", "states": {}}, "android": {"title": "Physical memory", "unit": "bytes", "meaning": "what the Java machine may use", "states": {}}},
  processorCount: {"ios": {"title": "Processors", "unit": "count", "meaning": "count", "states": {}}, "android": {"title": "Processors", "unit": "count", "meaning": "count", "states": {}}},
  activeProcessorCount: {"ios": {"title": "Active processors", "unit": "count", "meaning": "count", "states": {}}, "android": {"title": "Active processors", "unit": "count", "meaning": "count", "states": {}}},
  systemUptime: {"ios": {"title": "Uptime", "unit": "s", "meaning": "s since boot", "states": {}}, "android": {"title": "Uptime", "unit": "s", "meaning": "s since boot", "states": {}}},
};

// A crash's stack as frames, with what is the app's own told apart from the system's.

/**
 * `text`: the line as it came; `module`: library, binary or package; `symbol`: what ran; `at`: offset, or file and line.
 * @typedef {{text: string, module: string, symbol: string, at: string, own: boolean}} StackFrame
 */

const IOS_FRAME = /^\s*(\d+)\s+(\S.*?)\s+(0x[0-9a-fA-F]+)\s+(.*?)(?:\s+\+\s+(\d+))?\s*$/;
const JAVA_FRAME = /^\s*(?:at\s+)?((?:[\w$]+(?:-[\w$]+)*\.)+(?:[\w$<>-]+))\(([^()]*)\)\s*$/;

/** binaries of iOS; those that begin so, too */
const IOS_SYSTEM = new Set([
  "dyld",
  "UIKit",
  "SwiftUI",
  "Foundation",
  "CFNetwork",
  "Security",
  "WebKit",
  "QuartzCore",
  "???",
]);
const IOS_SYSTEM_START =
  /^(?:lib(?:objc|system|dispatch|swift|c\+\+|xpc|sqlite|z\b)|Core[A-Z]|UIKit|SwiftUI|AV[A-Z]|AppKit|Graphics|JavaScriptCore|Metal|Network$|BoardServices|FrontBoard|RunningBoard|BackBoard|AttributeGraph|PrototypeTools|Gestures$)/;
const JAVA_SYSTEM =
  /^(?:android|androidx|java|javax|jdk|sun|dalvik|libcore|kotlin|kotlinx|com\.android|com\.google\.android|org\.json|org\.apache\.harmony)\./;

/**
 * @param {string} stacktrace frames separated by line ends
 * @returns {StackFrame[]}
 */
export function framesOf(stacktrace) {
  return stacktrace
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map(frameOf);
}

/**
 * @param {string} line
 * @returns {StackFrame}
 */
function frameOf(line) {
  const ios = IOS_FRAME.exec(line);
  if (ios) {
    const [, , module, address, symbol, offset] = ios;
    const own = !IOS_SYSTEM.has(module) && !IOS_SYSTEM_START.test(module);
    return { text: line, module, symbol: symbol || address, at: offset ? `+${offset}` : "", own };
  }
  const java = JAVA_FRAME.exec(line);
  if (java) {
    const [, symbol, at] = java;
    const parts = symbol.split(".");
    const module = parts.slice(0, -2).join(".");
    return { text: line, module, symbol: parts.slice(-2).join("."), at, own: !JAVA_SYSTEM.test(`${symbol}.`) };
  }
  return { text: line, module: "", symbol: line.trim(), at: "", own: false };
}

/** Which key presses are commands. */

/**
 * Whether a press is typing into something, or belongs to the browser: no command then.
 *
 * @param {KeyboardEvent} event
 */
export function isTyping(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return true;
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return (
    target instanceof HTMLInputElement && !["checkbox", "radio", "range", "button", "submit"].includes(target.type)
  );
}

/**
 * Runs commands by `event.key`, for the whole tab; not while somebody types, nor beneath an open dialog. One that
 * answers false leaves the press to the browser.
 *
 * @param {Readonly<Record<string, (event: KeyboardEvent) => unknown>>} commands
 * @returns {() => void} ends it
 */
export function onKeys(commands) {
  /** @param {KeyboardEvent} event */
  function pressed(event) {
    if (event.defaultPrevented || isTyping(event) || document.querySelector("dialog[open]")) return;
    const command = Object.hasOwn(commands, event.key) ? commands[event.key] : undefined;
    if (command && command(event) !== false) event.preventDefault();
  }
  addEventListener("keydown", pressed);
  return () => removeEventListener("keydown", pressed);
}

/**
 * Asks for a session before the player's modules are there: what they need first is on its way meanwhile.
 * A classic script, so that it does not wait; `replay/source.js` takes what it asked for.
 */
{
  const found = /^\/replays\/([0-9]{1,19})\/?$/.exec(location.pathname);
  // a fragment holds what signs the viewer in: before that nothing would be given
  if (found && !location.hash) {
    const reply = fetch(`/api/v1/replays/${found[1]}/timeline`, { headers: { accept: "application/json" } }).catch(() => null);
    Object.assign(globalThis, { playheadEarly: { session_id: found[1], reply } });
  }
}

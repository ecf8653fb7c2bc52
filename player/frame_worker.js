/**
 * The worker that fetches and decodes a session's pictures. Its orders and reports: replay/picture_queue.js.
 */

import { decodePicture } from "./replay/picture_decode.js";
import { createPictureQueue } from "./replay/picture_queue.js";

const queue = createPictureQueue({
  load: (url, signal) => fetch(url, { signal, credentials: "same-origin" }),
  decode: decodePicture,
  tell: (report) => {
    postMessage(report, report.type === "picture" ? { transfer: [report.bitmap] } : {});
  },
});

addEventListener("message", (event) => queue.take(event.data));

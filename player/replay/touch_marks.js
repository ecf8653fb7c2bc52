/**
 * Draws touches over the picture: taps as ripples, swipes as trails. Lengths follow the size of the screen.
 *
 * @import { Swipe, Tap } from "./touches.js"
 */

const CORE = "rgb(255 255 255 / 92%)";
const RIM = "rgb(12 18 30 / 70%)";

/** @typedef {CanvasRenderingContext2D} Pen */
/** @typedef {{tap: string, swipe: string}} Colours */
/** @typedef {(x: number, y: number) => [number, number]} Place from the unit of touches to px of the canvas */

/**
 * @param {Pen} pen
 * @param {Tap[]} taps
 * @param {Place} place
 * @param {number} short short side of the screen, px of the canvas
 * @param {Colours} colours
 */
export function drawTaps(pen, taps, place, short, colours) {
  for (const tap of taps) {
    const [x, y] = place(tap.x, tap.y);
    const core = short * 0.026;
    const fade = tap.still ? 1 : 1 - ease(tap.age);
    const reach = tap.still ? 2.2 : 1.2 + 2.6 * ease(tap.age);
    pen.globalAlpha = 0.28 * fade;
    disc(pen, x, y, core * reach, colours.tap);
    pen.globalAlpha = 0.9 * fade;
    ring(pen, x, y, core * reach, colours.tap, short * 0.006);
    pen.globalAlpha = Math.min(1, 1.6 * (1 - tap.age) + (tap.still ? 1 : 0));
    disc(pen, x, y, core, CORE);
    ring(pen, x, y, core, RIM, Math.max(short * 0.003, 1));
  }
  pen.globalAlpha = 1;
}

/**
 * @param {Pen} pen
 * @param {Swipe[]} swipes
 * @param {Place} place
 * @param {number} short
 * @param {Colours} colours
 */
export function drawSwipes(pen, swipes, place, short, colours) {
  for (const swipe of swipes) {
    const [x, y] = place(swipe.x, swipe.y);
    const length = short * 0.42;
    const fade = swipe.still ? 1 : 1 - Math.max(0, swipe.age - 0.45) / 0.55;
    const drawn = swipe.still ? 1 : Math.min(1, 0.35 + swipe.age * 2.4);
    trail(pen, x, y, swipe.dx * length * drawn, swipe.dy * length * drawn, short * 0.036, colours.swipe, fade);
    pen.globalAlpha = fade;
    if (swipe.dx || swipe.dy) arrow(pen, x, y, swipe.dx, swipe.dy, short * 0.03);
    disc(pen, x, y, short * 0.02, CORE);
    ring(pen, x, y, short * 0.02, RIM, Math.max(short * 0.003, 1));
  }
  pen.globalAlpha = 1;
}

/**
 * A band that grows from nothing to its full width at (x, y), where the finger left.
 * @param {Pen} pen
 * @param {number} x @param {number} y @param {number} dx @param {number} dy way of the finger, px
 * @param {number} width @param {string} colour @param {number} fade
 */
function trail(pen, x, y, dx, dy, width, colour, fade) {
  const length = Math.hypot(dx, dy);
  if (!length) return;
  const [nx, ny] = [-dy / length, dx / length];
  const shade = pen.createLinearGradient(x - dx, y - dy, x, y);
  shade.addColorStop(0, "transparent");
  shade.addColorStop(1, colour);
  pen.globalAlpha = 0.9 * fade;
  pen.fillStyle = shade;
  pen.beginPath();
  pen.moveTo(x - dx, y - dy);
  pen.lineTo(x + nx * width, y + ny * width);
  pen.arc(x, y, width, Math.atan2(ny, nx), Math.atan2(-ny, -nx), true);
  pen.closePath();
  pen.fill();
}

/**
 * @param {Pen} pen
 * @param {number} x @param {number} y @param {number} dx @param {number} dy a unit vector @param {number} size
 */
function arrow(pen, x, y, dx, dy, size) {
  const [tx, ty] = [x + dx * size * 2.1, y + dy * size * 2.1];
  pen.beginPath();
  pen.moveTo(tx - dx * size - dy * size, ty - dy * size + dx * size);
  pen.lineTo(tx, ty);
  pen.lineTo(tx - dx * size + dy * size, ty - dy * size - dx * size);
  pen.lineJoin = "round";
  pen.lineCap = "round";
  stroke(pen, RIM, size * 0.62);
  stroke(pen, CORE, size * 0.34);
}

/** @param {Pen} pen @param {number} x @param {number} y @param {number} radius @param {string} colour */
function disc(pen, x, y, radius, colour) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  pen.fillStyle = colour;
  pen.fill();
}

/** @param {Pen} pen @param {number} x @param {number} y @param {number} radius @param {string} colour @param {number} width */
function ring(pen, x, y, radius, colour, width) {
  pen.beginPath();
  pen.arc(x, y, radius, 0, 2 * Math.PI);
  stroke(pen, colour, width);
}

/** @param {Pen} pen @param {string} colour @param {number} width */
function stroke(pen, colour, width) {
  pen.strokeStyle = colour;
  pen.lineWidth = width;
  pen.stroke();
}

/** @param {number} share 0 … 1, slowing down */
function ease(share) {
  return 1 - (1 - share) ** 3;
}

// Android trackers report a device's code name (Build.DEVICE); the names under which common ones are sold.

const PIXELS = {
  sailfish: "Pixel", marlin: "Pixel XL", walleye: "Pixel 2", taimen: "Pixel 2 XL", blueline: "Pixel 3",
  crosshatch: "Pixel 3 XL", sargo: "Pixel 3a", bonito: "Pixel 3a XL", flame: "Pixel 4", coral: "Pixel 4 XL",
  sunfish: "Pixel 4a", bramble: "Pixel 4a (5G)", redfin: "Pixel 5", barbet: "Pixel 5a", oriole: "Pixel 6",
  raven: "Pixel 6 Pro", bluejay: "Pixel 6a", panther: "Pixel 7", cheetah: "Pixel 7 Pro", lynx: "Pixel 7a",
  felix: "Pixel Fold", tangorpro: "Pixel Tablet", shiba: "Pixel 8", husky: "Pixel 8 Pro", akita: "Pixel 8a",
  tokay: "Pixel 9", caiman: "Pixel 9 Pro", komodo: "Pixel 9 Pro XL", comet: "Pixel 9 Pro Fold", tegu: "Pixel 9a",
  frankel: "Pixel 10", blazer: "Pixel 10 Pro", mustang: "Pixel 10 Pro XL", rango: "Pixel 10 Pro Fold",
};
// the last letter tells the chip: s Exynos, q Snapdragon, x either
const GALAXIES = {
  "x1": "Galaxy S20", "y2": "Galaxy S20+", "z3": "Galaxy S20 Ultra", "r8": "Galaxy S20 FE",
  "o1": "Galaxy S21", "t2": "Galaxy S21+", "p3": "Galaxy S21 Ultra", "r9": "Galaxy S21 FE",
  "r0": "Galaxy S22", "g0": "Galaxy S22+", "b0": "Galaxy S22 Ultra",
  "dm1": "Galaxy S23", "dm2": "Galaxy S23+", "dm3": "Galaxy S23 Ultra", "r11": "Galaxy S23 FE",
  "e1": "Galaxy S24", "e2": "Galaxy S24+", "e3": "Galaxy S24 Ultra", "r12": "Galaxy S24 FE",
  "pa1": "Galaxy S25", "pa2": "Galaxy S25+", "pa3": "Galaxy S25 Ultra",
  "a52": "Galaxy A52", "a52x": "Galaxy A52 5G", "a52sx": "Galaxy A52s 5G", "a53": "Galaxy A53 5G",
  "a54": "Galaxy A54 5G", "a55": "Galaxy A55 5G",
};
const EMULATOR = /^(emu64|generic|emulator)/;

/** The name under which a device of this code name is sold; an unknown one unchanged. @param {string} code */
export function androidName(code) {
  if (Object.hasOwn(PIXELS, code)) return PIXELS[/** @type {keyof typeof PIXELS} */ (code)];
  const model = code.slice(0, -1);
  if (/[sqx]$/.test(code) && Object.hasOwn(GALAXIES, model)) return GALAXIES[/** @type {keyof typeof GALAXIES} */ (model)];
  return EMULATOR.test(code) ? "Emulator" : code;
}

/**
 * Labels of touched views as the SDKs write them, in words. Pure.
 *
 * Source: spec of the SDKs' labels: iOS `UIButton 'Title'` or a class, Android `id:x | text:y | desc:z | type:Button`.
 */

const ANDROID = /^id:(.*?) \| text:(.*?) \| desc:(.*?) \| type:(.*)$/s;
const IOS = /^([A-Za-z_][\w.<>$]*) '(.*)'$/s;

/**
 * What a person would call the view; the label itself if it has no known form.
 * @param {string} label
 */
export function viewName(label) {
  const android = ANDROID.exec(label);
  if (android) {
    const [, id, text, description, type] = android;
    return text || description || id || type || "";
  }
  return IOS.exec(label)?.[2] ?? label;
}

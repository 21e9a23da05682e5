import { html } from 'lit';

/** Shorter names are rarely cut, and stay one piece of text. */
const SHORT = 24;
/** Characters at the end that stay visible. */
const END = 12;

/** A run's name that is cut in its middle if there is no room: names that begin alike differ at their ends. */
export function runName(name: string) {
  const all = [...name];
  if (all.length <= SHORT) return name;
  return html`<span class="run-name"
    ><span>${all.slice(0, -END).join('')}</span><span>${all.slice(-END).join('')}</span></span
  >`;
}

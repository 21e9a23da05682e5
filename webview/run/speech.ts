import { html, type TemplateResult } from 'lit';
import type { RunData } from './model';
import { lossSummary } from './words';

/** Minimum interval between announcements of the live region. */
const SPEAK_MS = 10_000;

/** Polite and infrequent: a screen reader must not announce something four times a second. */
export class Speech {
  private spoken = { text: '', at: -Infinity };

  say(runs: readonly RunData[]): TemplateResult {
    const now = performance.now();
    if (now - this.spoken.at >= SPEAK_MS) {
      const text = runs
        .map((r) => (runs.length > 1 ? `${r.facts?.name}: ${lossSummary(r)}` : lossSummary(r)))
        .join(' ');
      if (text !== this.spoken.text) this.spoken = { text, at: now };
    }
    return html`<p class="visually-hidden" role="status" data-live>${this.spoken.text}</p>`;
  }
}

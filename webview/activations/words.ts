import { html, nothing } from 'lit';
import type { Word, WordsMessage } from '../../src/protocol/panels/activations';
import { namedRow } from '../../src/protocol/row-place';
import { t } from '../ui/l10n';
import { number } from './numbers';

/** What this layer's σ bends: the words in the chosen bin, with their context. */
export function wordsPanel(words: WordsMessage | undefined, open: (example: number) => void) {
  return html`<section class="words" aria-live="polite" data-bin=${words?.bin ?? nothing}>
    <h3>${t('Words in this bin')}</h3>
    ${
      words
        ? html`<p>${where(words)} ${landed(words)}</p>
            ${words.notice ? html`<p class="note">${words.notice}</p>` : nothing}
            <ul>
              ${words.words.map((w) => wordRow(w, open))}
            </ul>`
        : html`<p class="note">${t('Click a bin in the chart, or press Enter on it, to see its words.')}</p>`
    }
  </section>`;
}

function where({ from, to, coordinate }: WordsMessage): string {
  if (!Number.isFinite(from)) return t('z[{0}] below {1}:', coordinate, number(to));
  if (!Number.isFinite(to)) return t('z[{0}] above {1}:', coordinate, number(from));
  return t('z[{0}] from {1} to {2}:', coordinate, number(from), number(to));
}

function landed({ count, words, examples }: WordsMessage): string {
  if (count === 0) return t('no tokens in this bin.');
  if (words.length === 0) return t('{0} tokens in this bin.', count);
  return count > words.length
    ? t(
        '{0} tokens from {1} validation texts are in this bin; {2} of them are shown.',
        count,
        examples,
        words.length,
      )
    : t('{0} tokens from {1} validation texts are in this bin.', count, examples);
}

function wordRow(w: Word, open: (example: number) => void) {
  return html`<li>
    <blockquote>
      ${w.token ? html`${w.before}<mark>${w.token}</mark>${w.after}` : t('Token with id {0}.', w.id)}
    </blockquote>
    <p class="source">
      ${w.label === undefined ? nothing : html`<span class="label">${w.label}</span>`}
      <button class="link" @click=${() => open(w.example)}>${namedRow(w.file, w.line, t)}</button>
    </p>
  </li>`;
}

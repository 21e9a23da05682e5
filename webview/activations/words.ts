import { html, nothing, svg } from 'lit';
import type { ShownImage } from '../../src/protocol/activation-examples';
import type { Word, WordsMessage } from '../../src/protocol/panels/activations';
import { namedRow } from '../../src/protocol/row-place';
import { t } from '../../src/base/l10n';
import { number } from './numbers';

/** What this layer's σ bends: the words in the chosen bin, with their context. */
export function wordsPanel(words: WordsMessage | undefined, open: (example: number) => void) {
  const images = words?.words.some((w) => w.image);
  return html`<section class="words" aria-live="polite" data-bin=${words?.bin ?? nothing}>
    <h3>${images ? t('Patches in this bin') : t('Words in this bin')}</h3>
    ${
      words
        ? html`<p>${where(words)} ${landed(words)}</p>
            ${words.notice ? html`<p class="note">${words.notice}</p>` : nothing}
            <ul>
              ${words.words.map((w) => wordRow(w, open))}
            </ul>`
        : html`<p class="note">
            ${t('Click a bin in the chart, or press Enter on it, to see what is in it.')}
          </p>`
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
        '{0} tokens from {1} validation examples are in this bin; {2} of them are shown.',
        count,
        examples,
        words.length,
      )
    : t('{0} tokens from {1} validation examples are in this bin.', count, examples);
}

function textPart(w: Word) {
  if (w.token) return html`${w.before}<mark>${w.token}</mark>${w.after}`;
  return w.position === undefined
    ? t('Token with id {0}.', w.id)
    : t('Token {0} of the prompt, counted from its start token, 0.', w.position);
}

/** The image with the token's patch framed. */
function imagePart({ patch }: Word, { name, width, height, picture }: ShownImage) {
  const words = patch
    ? t('A patch of {0}', name)
    : t('{0}, not a patch: the token stands for the whole image', name);
  if (picture === undefined) return words;
  const box = (frame: string) =>
    svg`<rect class=${frame} x=${patch!.left * width} y=${patch!.top * height} width=${patch!.width * width}
      height=${patch!.height * height} />`;
  return html`<svg class="image" viewBox="0 0 ${width} ${height}" role="img" aria-label=${words}>
      <image href=${picture} width=${width} height=${height} />
      ${patch ? [box('around'), box('frame')] : nothing}
    </svg>
    <span class="name">${words}</span>`;
}

function wordRow(w: Word, open: (example: number) => void) {
  return html`<li>
    <blockquote>${w.image ? imagePart(w, w.image) : textPart(w)}</blockquote>
    <p class="source">
      ${w.label === undefined || w.label === '' ? nothing : html`<span class="label">${w.label}</span>`}
      <button class="link" @click=${() => open(w.example)}>${namedRow(w.file, w.line)}</button>
    </p>
  </li>`;
}

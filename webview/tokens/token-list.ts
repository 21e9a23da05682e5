import { html, nothing, type TemplateResult } from 'lit';
import { repeat } from 'lit/directives/repeat.js';
import { escapeControls } from '../../src/base/escape';
import { t } from '../../src/base/l10n';
import { count, numberText } from '../../src/base/number-text';
import { tokenNumbers, tokenWords } from '../../src/protocol/reports/tokens-report';
import type { CutTokens, PackedText, RowToken, TokenRow } from '../../src/protocol/tokens';

/** Tokens that are drawn at first: the browser takes long for many more. */
export const FIRST_TOKENS = 2000;

export interface ListState {
  /** The token in the tab order. */
  active: number;
  /** True if all tokens are drawn. */
  all: boolean;
  /** The parts that were cut off and are shown, by their places. */
  opened: ReadonlySet<number>;
}

export interface ListActions {
  move(to: number): void;
  showAll(): void;
  toggleCut(at: number): void;
  /** Shows another row that is packed with this one. */
  show(row: string): void;
}

/** A row's tokens as text, marked by how they count; arrow keys walk through them. */
export function tokenList(row: TokenRow, state: ListState, act: ListActions): TemplateResult {
  const { tokens, packed } = row;
  const texts: PackedText[] = packed?.texts ?? [{ name: row.name, begin: 0, size: tokens.length }];
  const shown = state.all ? tokens.length : Math.min(tokens.length, FIRST_TOKENS);
  return html`<div
      class="tokens"
      @keydown=${(e: KeyboardEvent) => walk(e, state.active, shown)}
      @focusin=${(e: Event) => {
        const at = (e.target as HTMLElement).dataset.at;
        if (at !== undefined) act.move(Number(at));
      }}
    >
      ${texts
        .filter(({ begin }) => begin < shown || tokens.length === 0)
        .map((text, i) => textPart(row, text, !packed || i === packed.own, shown, state, act))}
    </div>
    ${
      shown < tokens.length
        ? html`<button class="link" data-action="all" @click=${act.showAll}>
            ${t('Show all {0} tokens', count(tokens.length))}
          </button>`
        : nothing
    }`;
}

/** The tokens of one text, with its name if the row has several. */
function textPart(
  row: TokenRow,
  { name, begin, size }: PackedText,
  isOwn: boolean,
  shown: number,
  state: ListState,
  act: ListActions,
): TemplateResult {
  const end = Math.min(begin + size, shown);
  const own = row.tokens.slice(begin, end);
  const cut = isOwn ? row.cut : [];
  return html`<div class=${isOwn ? 'text own' : 'text'}>
    ${
      row.packed
        ? html`<p class="border">
            ${
              isOwn
                ? t('{0} (this row)', escapeControls(name))
                : html`<button class="link" @click=${() => act.show(name)}>${escapeControls(name)}</button>`
            }
          </p>`
        : nothing
    }
    <div role="list" aria-label=${t('Tokens of row {0}', escapeControls(name))}>
      ${repeat(
        own,
        (_, i) => begin + i,
        (token, i) => html`${cutAt(cut, begin + i, state, act)}${tokenMark(row, token, begin + i, state)}`,
      )}${end === begin + size ? cutAt(cut, end, state, act) : nothing}${
        end === row.tokens.length ? padding(row) : nothing
      }
    </div>
  </div>`;
}

function tokenMark(row: TokenRow, token: RowToken, at: number, { active }: ListState): TemplateResult {
  const { counts, special, label, weight } = token;
  const words = escapeControls(tokenWords(token, row.perToken));
  const classes = ['token', ...(counts ? ['counts'] : []), ...(special ? ['special'] : [])];
  return html`<span
    class=${classes.join(' ')}
    role="listitem"
    data-at=${at}
    tabindex=${at === active ? 0 : -1}
    title=${words}
    aria-label=${words}
    >${visible(token)}${
      label === undefined && weight === undefined
        ? nothing
        : html`<small class="answer" aria-hidden="true"
            >${label === undefined ? nothing : `→\u2060${escapeControls(label)}`}${weight === undefined ? nothing : ` ×${numberText(weight)}`}</small
          >`
    }</span
  >`;
}

/**
 * Line breaks and tabs stay, with a sign. A token without any visible text gets one, too. Marks that would reverse the text
 * after them are escaped.
 */
const visible = ({ text }: RowToken): string =>
  text === undefined
    ? '⋯'
    : escapeControls(text.replace(/\r?\n/g, '↵\n').replace(/\t/g, '⇥\t'), '\n\t') || '∅';

const cutAt = (cut: readonly CutTokens[], at: number, state: ListState, act: ListActions): unknown =>
  cut.filter((run) => run.at === at).map((run) => cutMark(run, state.opened.has(at), act));

function cutMark(
  { at, count: number, tokens }: CutTokens,
  isOpen: boolean,
  act: ListActions,
): TemplateResult {
  const words = number === 1 ? t('1 token cut off') : t('{0} tokens cut off', count(number));
  return html`<span role="listitem"
      ><button class="cut" aria-expanded=${isOpen ? 'true' : 'false'} @click=${() => act.toggleCut(at)}>
        ✂ ${words}
      </button></span
    >${
      isOpen
        ? html`<span class="removed" role="listitem"
            >${tokens.map(
              (token) =>
                html`<span
                  class=${token.counts ? 'token counts' : 'token'}
                  title=${escapeControls(tokenWords(token, true))}
                  >${visible(token)}</span
                >`,
            )}${tokens.length < number ? '…' : nothing}</span
          >`
        : nothing
    }`;
}

function padding(row: TokenRow): unknown {
  const { padding: number } = tokenNumbers(row);
  if (number === 0) return nothing;
  const { pad, length } = row.batch!;
  return html`<span
    class="token padding"
    role="listitem"
    title=${t('Padding to {0} tokens, which does not count.', count(length))}
    >${visible(pad)} × ${count(number)}</span
  >`;
}

function walk(e: KeyboardEvent, active: number, shown: number): void {
  const to = {
    ArrowRight: active + 1,
    ArrowDown: active + 1,
    ArrowLeft: active - 1,
    ArrowUp: active - 1,
    Home: 0,
    End: shown - 1,
  }[e.key];
  if (to === undefined || e.ctrlKey || e.metaKey || e.altKey) return;
  if ((e.target as HTMLElement).dataset.at === undefined) return;
  e.preventDefault();
  const list = e.currentTarget as HTMLElement;
  const next = Math.max(0, Math.min(shown - 1, to));
  list.querySelector<HTMLElement>(`[data-at="${next}"]`)?.focus();
}

/** Explains the marks that the row has. */
export function tokenLegend(row: TokenRow): TemplateResult {
  const { counting, special, cut, padding: pad } = tokenNumbers(row);
  const has = (of: (token: RowToken) => unknown) => row.tokens.some((token) => of(token) !== undefined);
  const entry = (classes: string, sample: string, words: string) =>
    html`<li><span class=${classes}>${sample}</span> ${words}</li>`;
  return html`<ul class="legend" aria-label=${t('Marks')}>
    ${counting > 0 ? entry('token counts', t('token'), t('counts in the loss')) : nothing}
    ${row.perToken ? entry('token', t('token'), t('is read, and does not count')) : nothing}
    ${special > 0 ? entry('token special', t('token'), t('special token')) : nothing}
    ${has(({ label }) => label) ? entry('answer', '→', t('the answer in its place')) : nothing}
    ${has(({ weight }) => weight) ? entry('answer', '×', t('weight in the loss')) : nothing}
    ${cut > 0 ? entry('cut', '✂', t('cut off by model.maxLength')) : nothing}
    ${pad > 0 ? entry('token padding', t('token'), t('padding')) : nothing}
  </ul>`;
}

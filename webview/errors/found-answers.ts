import { html, nothing } from 'lit';
import { t } from '../../src/base/l10n';
import { count, cautiousPercent } from '../../src/base/number-text';
import {
  ANSWER_FOUND,
  ANSWER_MISSED,
  ANSWER_SPURIOUS,
  foundCounts,
  type FoundCounts,
} from '../../src/protocol/answers/found';
import { FEW } from '../../src/protocol/answers/slices';
import { listWithRight, rightOrWrong, type PartActions, type PartState } from './answer-part';
import type { Model } from './errors-model';
import { bar } from './slice-table';

/** Number of mistakes that are named. */
const NAMED = 3;
/** Rows shown by default. */
const FIRST_ROWS = 10;

/** The names of an example's several answers: spans, or labels. */
export interface FoundWords {
  /** The summary: how many are in the data, found, missed and spurious. */
  told(inData: string, found: string, missed: string, spurious: string): string;
  /** The table's title, what it means by found, and its first column. */
  title: string;
  note: string;
  name: string;
  /** In place of an empty table. */
  none: string;
  /** Below a table with small counts. */
  few: string;
  showAll(count: number): string;
  /** A filter. */
  chip(name: string): string;
}

/** One of an example's answers, in its data, predicted, or both. */
interface Part {
  /** An index into the labels. */
  label: number;
  /** ANSWER_MISSED, ANSWER_SPURIOUS or ANSWER_FOUND. */
  found: number;
}

/** Spans of one type, or one label, wrong in the same way. */
interface Mistake {
  label: number;
  found: typeof ANSWER_MISSED | typeof ANSWER_SPURIOUS;
  count: number;
}

/** Several answers per example: the counts of found, missed and spurious by type or label, and their examples. */
export function foundAnswers<P extends Part>(
  model: Model,
  columns: { label: Uint32Array; found: Uint8Array },
  parts: ReadonlyMap<number, readonly P[]>,
  words: FoundWords,
) {
  const { labels } = model;
  const counts = foundCounts(columns, labels.length);
  const mistakes = mistakesOf(counts);
  const partsOf = (example: number): readonly P[] => parts.get(example) ?? [];
  const part = ({ ui, list }: PartState, act: PartActions) => {
    const { label, found, allLabels = false } = ui;
    const choose = (to: number, state: number | undefined): void => {
      if (to === label && state === found) return act.choose({ label: undefined, found: undefined });
      act.filter({
        label: to,
        found: state,
        ...(state === ANSWER_FOUND ? listWithRight(list) : { list }),
      });
    };
    const common = rightOrWrong(model);
    return {
      ...common,
      told: `${common.told} ${told(counts, words)}`,
      worst: worst(labels, mistakes, choose),
      wide: foundTable(labels, counts, words, { label, found }, allLabels, {
        choose,
        showAll: (all) => act.keep({ allLabels: all }),
      }),
      ...(label !== undefined && {
        suits: (example: number) =>
          partsOf(example).some(
            (p) =>
              p.label === label &&
              // Among wrong texts, those that are wrong about this one.
              (found === undefined ? list !== 'wrong' || p.found !== ANSWER_FOUND : p.found === found),
          ),
      }),
      chips:
        label === undefined || label >= labels.length
          ? []
          : [{ text: chip(labels[label], found, words), change: { label: undefined, found: undefined } }],
    };
  };
  return { part, partsOf };
}

const mistakesOf = (counts: readonly FoundCounts[]): Mistake[] =>
  counts
    .flatMap(({ label, missed, spurious }): Mistake[] => [
      { label, found: ANSWER_MISSED, count: missed },
      { label, found: ANSWER_SPURIOUS, count: spurious },
    ])
    .filter((m) => m.count > 0)
    .sort((a, b) => b.count - a.count);

function chip(name: string, found: number | undefined, words: FoundWords): string {
  if (found === undefined) return words.chip(name);
  if (found === ANSWER_FOUND) return t('Found: {0}', name);
  return found === ANSWER_MISSED ? t('Missed: {0}', name) : t('Spurious: {0}', name);
}

function told(counts: readonly FoundCounts[], words: FoundWords): string {
  const sum = (key: 'found' | 'missed' | 'spurious') => counts.reduce((n, c) => n + c[key], 0);
  const [found, missed, spurious] = [sum('found'), sum('missed'), sum('spurious')];
  return words.told(count(found + missed), count(found), count(missed), count(spurious));
}

/** The most frequent mistakes. */
function worst(
  labels: readonly string[],
  mistakes: readonly Mistake[],
  choose: (label: number, found: number) => void,
) {
  if (mistakes.length === 0) return nothing;
  return html`<p class="pairs">
    ${t('Most often:')}
    ${mistakes
      .slice(0, NAMED)
      .map(
        (m, i) =>
          html`${i > 0 ? ', ' : nothing}<button class="link" @click=${() => choose(m.label, m.found)}>
              ${m.found === ANSWER_SPURIOUS ? t('{0} spurious', labels[m.label]) : t('{0} missed', labels[m.label])}</button
            >${t(' ({0})', count(m.count))}`,
      )}
  </p>`;
}

/** A type or label, and what became of it (ANSWER_MISSED …). */
interface Chosen {
  label?: number;
  found?: number;
}

interface TableActions {
  /** Everything of a type or label, or that of which this became. */
  choose(label: number, found: number | undefined): void;
  showAll(all: boolean): void;
}

/** Each type or label with its counts, the worst first. */
function foundTable(
  labels: readonly string[],
  counts: readonly FoundCounts[],
  words: FoundWords,
  chosen: Chosen,
  all: boolean,
  act: TableActions,
) {
  const shown = all ? counts : counts.slice(0, FIRST_ROWS);
  return html`<section aria-labelledby="found-title">
    <h2 id="found-title">${words.title}</h2>
    <p class="note">${words.note}</p>
    ${counts.length === 0 ? html`<p class="note">${words.none}</p>` : table(labels, words, shown, chosen, act)}
    ${shown.some((c) => numberOf(c) < FEW) ? html`<p class="note">${words.few}</p>` : nothing}
    ${
      counts.length > FIRST_ROWS
        ? html`<button class="link" aria-expanded=${all ? 'true' : 'false'} @click=${() => act.showAll(!all)}>
            ${all ? t('Show the {0} worst', FIRST_ROWS) : words.showAll(counts.length)}
          </button>`
        : nothing
    }
  </section>`;
}

const numberOf = ({ found, missed, spurious }: FoundCounts): number => found + missed + spurious;

const table = (
  labels: readonly string[],
  words: FoundWords,
  shown: readonly FoundCounts[],
  chosen: Chosen,
  act: TableActions,
) =>
  html`<div class="scroll">
    <table class="slices" data-table="found" aria-labelledby="found-title">
      <thead>
        <tr>
          <th scope="col">${words.name}</th>
          <th scope="col" class="number">${t('In the data')}</th>
          <th scope="col" class="number">${t('Found')}</th>
          <th scope="col" class="number">${t('Missed')}</th>
          <th scope="col" class="number">${t('Spurious')}</th>
          <th scope="col" class="number">${t('Precision')}</th>
          <th scope="col" class="number">${t('Recall')}</th>
          <th scope="col" colspan="2">${t('F1')}</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map((counts) => row(counts, labels[counts.label], chosen, act))}
      </tbody>
    </table>
  </div>`;

function row(counts: FoundCounts, name: string, chosen: Chosen, act: TableActions) {
  const { label, found, missed, spurious, precision, recall, f1 } = counts;
  const pressed = (state: number | undefined) =>
    chosen.label === label && chosen.found === state ? 'true' : 'false';
  const counted = (state: number, n: number, words: string) =>
    n === 0
      ? count(n)
      : html`<button
          class="link"
          aria-label=${words}
          aria-pressed=${pressed(state)}
          @click=${() => act.choose(label, state)}
        >
          ${count(n)}
        </button>`;
  const share = (value: number | undefined) => (value === undefined ? '–' : cautiousPercent(value));
  return html`<tr class=${chosen.label === label ? 'chosen' : ''}>
    <th scope="row">
      <button
        class="link name"
        aria-pressed=${pressed(undefined)}
        @click=${() => act.choose(label, undefined)}
      >
        ${name}
      </button>
    </th>
    <td class="number">${count(found + missed)}</td>
    <td class="number">${counted(ANSWER_FOUND, found, t('{0}: {1} found', name, count(found)))}</td>
    <td class="number">${counted(ANSWER_MISSED, missed, t('{0}: {1} missed', name, count(missed)))}</td>
    <td class="number">
      ${counted(ANSWER_SPURIOUS, spurious, t('{0}: {1} spurious', name, count(spurious)))}
    </td>
    <td class="number">${share(precision)}</td>
    <td class="number">${share(recall)}</td>
    <td class="number">
      ${cautiousPercent(f1)}
      ${numberOf(counts) < FEW ? html`<small>${t('too few to tell')}</small>` : nothing}
    </td>
    <td class="bar">${bar(f1)}</td>
  </tr>`;
}

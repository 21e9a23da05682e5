import { html, nothing } from 'lit';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/predictions';
import { t } from '../../ui/l10n';
import { count } from '../format';
import type { SpanModel } from '../model';
import { listWithRight, type AnswerPart, type PartActions, type PartState } from '../part';
import { spanCells } from './cells';
import { examplesCsv } from './examples-csv';
import { spansOf } from './model';
import { typesTable } from './types-table';

/** Number of mistakes that are named. */
const NAMED = 3;

/** Labeled spans: what is found, missed and spurious by type, and the texts with all of them marked. */
export function spanPart(model: SpanModel, { ui, list }: PartState, act: PartActions): AnswerPart {
  const { labels } = model;
  const { type, found, allLabels = false } = ui;
  const choose = (to: number, state: number | undefined): void => {
    if (to === type && state === found) return act.choose({ type: undefined, found: undefined });
    act.filter({ type: to, found: state, ...(state === ANSWER_FOUND ? listWithRight(list) : { list }) });
  };
  return {
    told: told(model),
    worst: worst(model, choose),
    wide: typesTable(model, { type, found }, allLabels, {
      choose,
      showAll: (all) => act.keep({ allLabels: all }),
    }),
    table: nothing,
    ...(type !== undefined && {
      suits: (example: number) =>
        spansOf(model, example).some(
          (s) =>
            s.label === type &&
            // Among wrong texts, those that are wrong about this type.
            (found === undefined ? list !== 'wrong' || s.found !== ANSWER_FOUND : s.found === found),
        ),
    }),
    chips:
      type === undefined || type >= labels.length
        ? []
        : [{ text: chip(labels[type], found), change: { type: undefined, found: undefined } }],
    examples: spanCells(model),
    csv: (examples) => examplesCsv(model, examples),
  };
}

function chip(type: string, found: number | undefined): string {
  if (found === undefined) return t('Type: {0}', type);
  if (found === ANSWER_FOUND) return t('Found: {0}', type);
  return found === ANSWER_MISSED ? t('Missed: {0}', type) : t('Spurious: {0}', type);
}

function told({ types }: SpanModel): string {
  const sum = (key: 'found' | 'missed' | 'spurious') => types.reduce((n, t) => n + t[key], 0);
  const [found, missed, spurious] = [sum('found'), sum('missed'), sum('spurious')];
  return t(
    'Of {0} spans in the data it finds {1} and misses {2}; {3} more are spurious.',
    ...[found + missed, found, missed, spurious].map(count),
  );
}

/** What is most often missed, and what is most often spurious. */
function worst({ mistakes, labels }: SpanModel, choose: (type: number, found: number) => void) {
  if (mistakes.length === 0) return nothing;
  return html`<p class="pairs">
    ${t('Most often:')}
    ${mistakes
      .slice(0, NAMED)
      .map(
        (m, i) =>
          html`${i > 0 ? ', ' : nothing}<button class="link" @click=${() => choose(m.type, m.found)}>
              ${m.found === ANSWER_SPURIOUS ? t('{0} spurious', labels[m.type]) : t('{0} missed', labels[m.type])}</button
            >${t(' ({0})', count(m.count))}`,
      )}
  </p>`;
}

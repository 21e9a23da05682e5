import { html, nothing } from 'lit';
import { ANSWER_FOUND, ANSWER_MISSED, ANSWER_SPURIOUS } from '../../../src/protocol/prediction-columns';
import { t } from '../../../src/base/l10n';
import { count } from '../../../src/base/number-text';
import type { CommonModel } from '../model';
import { listWithRight, type PartActions, type PartState } from '../part';
import { rightOrWrong } from '../right-or-wrong';
import type { foundParts } from './model';
import { foundTable } from './table';
import type { FoundWords } from './words';

/** A model of answers of which each is found, missed or spurious. */
export type FoundModel = CommonModel & ReturnType<typeof foundParts>;

/** Number of mistakes that are named. */
const NAMED = 3;

/** What is found, missed and spurious by type or label, and the texts with any of it. */
export function foundPart(model: FoundModel, words: FoundWords, { ui, list }: PartState, act: PartActions) {
  const { labels } = model;
  const { label, found, allLabels = false } = ui;
  const choose = (to: number, state: number | undefined): void => {
    if (to === label && state === found) return act.choose({ label: undefined, found: undefined });
    act.filter({ label: to, found: state, ...(state === ANSWER_FOUND ? listWithRight(list) : { list }) });
  };
  const common = rightOrWrong(model);
  return {
    ...common,
    told: `${common.told} ${told(model, words)}`,
    worst: worst(model, choose),
    wide: foundTable(model, words, { label, found }, allLabels, {
      choose,
      showAll: (all) => act.keep({ allLabels: all }),
    }),
    table: nothing,
    ...(label !== undefined && {
      suits: (example: number) =>
        model.partsOf(example).some(
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
}

function chip(name: string, found: number | undefined, words: FoundWords): string {
  if (found === undefined) return words.chip(name);
  if (found === ANSWER_FOUND) return t('Found: {0}', name);
  return found === ANSWER_MISSED ? t('Missed: {0}', name) : t('Spurious: {0}', name);
}

function told({ counts }: FoundModel, words: FoundWords): string {
  const sum = (key: 'found' | 'missed' | 'spurious') => counts.reduce((n, c) => n + c[key], 0);
  const [found, missed, spurious] = [sum('found'), sum('missed'), sum('spurious')];
  return words.told(count(found + missed), count(found), count(missed), count(spurious));
}

/** What is most often missed, and what is most often spurious. */
function worst({ mistakes, labels }: FoundModel, choose: (label: number, found: number) => void) {
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

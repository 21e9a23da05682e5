import { html, nothing, svg } from 'lit';
import { count } from '../../src/base/number-text';
import type { PageTrial, PageTrialState, SweepAction, SweepFacts } from '../../src/protocol/panels/sweep';
import { timeLeft, isDone, isPlanned, isTraining } from '../../src/study/sweep/trials';
import { t } from '../../src/base/l10n';
import {
  type Shown,
  planWords,
  queueWord,
  timeLeftWords,
  trialText,
  trialWord,
  metricText,
} from './sweep-model';
import { shadeEnds, SHADES } from '../../src/study/sweep/sweep-style';

interface HeaderActions {
  act(action: SweepAction): void;
  open(run: string): void;
}

/** Counted in this order after those that are done. */
const COUNTED: readonly PageTrialState[] = [
  'running',
  'starting',
  'waiting',
  'preempted',
  'queued',
  'stopped',
  'lost',
  'pruned',
  'failed',
  'diverged',
  'damaged',
  'passed-over',
];

/** The sweep's state, its progress, its best trial, and the time that is left. */
export function header(shown: Shown, actions: HeaderActions) {
  const { facts, trials, best } = shown;
  const { state } = facts;
  // The number of trials that a cluster trains at a time changes with its load.
  const isUnknown = facts.on !== undefined && facts.parallel === undefined;
  const left = isUnknown ? undefined : timeLeft(facts, trials);
  const isChecking = state === 'running' && trials.every((trial) => trial.run === undefined);
  return html`<header>
    <div class="title">
      <h1>${t('Sweep of {0}', facts.experiment)} <small>${facts.id}</small></h1>
      <span class="state state-${state}" role="status">${queueWord(state)}</span>
    </div>
    <p class="note">${planWords(facts)}</p>
    ${facts.notice === undefined ? nothing : html`<p class="notice" role="status">${facts.notice}</p>`}
    ${facts.ended === undefined ? nothing : html`<p class="notice" role="status">${facts.ended}</p>`}
    ${
      state === 'gone'
        ? html`<p class="notice" role="status">
            ${t('This sweep was deleted. Use "AuroRA: Restore Deleted Run" to restore it.')}
          </p>`
        : nothing
    }
    ${progress(shown)}
    ${
      best === undefined
        ? isChecking
          ? html`<p class="note">${t('The first trials are being prepared.')}</p>`
          : nothing
        : html`<p class="best">
            ${state === 'finished' && !facts.ended ? t('Best:') : t('Best so far:')}
            <button class="link" data-action="best" @click=${() => actions.open(best.run!)}>
              ${trialText(facts, best)}
            </button>
          </p>`
    }
    ${left === undefined ? nothing : html`<p class="left">${timeLeftWords(left)}</p>`}
    <div class="tools">${buttons(shown, actions)}</div>
  </header>`;
}

/** The number of trials in each state, in words and as a bar. */
export function progress({
  facts,
  trials,
}: {
  facts: Pick<SweepFacts, 'state' | 'on'>;
  trials: readonly PageTrial[];
}) {
  const planned = trials.filter(isPlanned);
  if (planned.length === 0) return nothing;
  const howMany = (is: (trial: (typeof trials)[number]) => boolean) => planned.filter(is).length;
  const done = howMany(isDone);
  const counts = COUNTED.flatMap((state) => {
    const n = trials.filter((trial) => trial.state === state).length;
    return n > 0 ? [`${count(n)} ${trialWord(state, facts.state, facts.on !== undefined)}`] : [];
  });
  const text = [t('{0} of {1} trials done', count(done), count(planned.length)), ...counts].join(' · ');
  const parts = [
    ['done', done],
    ['training', howMany(isTraining)],
    ['paused', howMany(({ state }) => state === 'waiting')],
  ] as const;
  let at = 0;
  return html`<p class="counts">${text}</p>
    <svg class="progress" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
      <rect class="all" width="100" height="6"></rect>
      ${parts.map(([name, n]) => {
        const width = (100 * n) / planned.length;
        at += width;
        return svg`<rect class=${name} x=${at - width} width=${width} height="6"></rect>`;
      })}
    </svg>`;
}

function buttons({ facts, trials }: Shown, { act }: HeaderActions) {
  const button = (action: SweepAction, label: string, main = false) =>
    html`<vscode-button
      data-action=${action}
      appearance=${main ? 'primary' : 'secondary'}
      @click=${() => act(action)}
      >${label}</vscode-button
    >`;
  if (facts.state === 'gone') return nothing;
  return [
    facts.state === 'running' || facts.canStop
      ? button('stop', t('Stop Sweep'), facts.state === 'running')
      : nothing,
    facts.canResume ? button('resume', t('Resume Sweep'), true) : nothing,
    trials.some((trial) => trial.run !== undefined) ? button('study', t('Open Study')) : nothing,
    button('experiment', t('Open Experiment')),
    button('delete', t('Delete Sweep')),
  ];
}

/** The color scale with its worst, median and best value. Better results are also drawn thicker. */
export function legend({ facts, values }: Shown) {
  const ends = shadeEnds(values, facts.metric);
  if (!ends) return nothing;
  const [worst, median, best] = ends.map((value) => metricText(facts, value));
  return html`<div
    class="legend"
    role="img"
    aria-label=${t('Color: worst {0}, median {1}, best {2}', worst, median, best)}
  >
    <span>${t('worst')} ${worst}</span>
    <svg width="128" height="12" aria-hidden="true">
      ${Array.from({ length: SHADES }, (_, k) => swatch(k))}
    </svg>
    <span>${best} ${t('best')}</span>
  </div>`;
}

const swatch = (k: number) => svg`<rect class="swatch shade-${k}" x=${16 * k} width="15" height="12"></rect>`;

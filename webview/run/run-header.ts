import { html, nothing, type TemplateResult } from 'lit';
import { deviceLine, deviceWords } from '../../src/protocol/device-words';
import { alarmsOf, alarmSentence } from '../../src/protocol/alarms';
import { combinationText } from '../../src/protocol/combination-record';
import { preparedPercent, preparingText } from '../../src/protocol/preparing';
import { ranksIn, ranksText } from '../../src/protocol/ranks';
import type { RunAction } from '../../src/protocol/panels/run';
import { t } from '../../src/base/l10n';
import { formatBytes, formatCount, formatLoss } from './run-numbers';
import type { RunData } from './run-data';
import { swatch } from './swatches';
import {
  elapsed,
  failure,
  headline,
  isActive,
  isAlarming,
  lastLoss,
  secondsPerStep,
  stateWords,
  timeLeft,
  trainingLoss,
  warnings,
  worseResult,
} from './run-words';
import { progressPercent, durationText, estimateText, stepTime } from '../../src/base/number-text';

/** CSS pixels; below, the charts need the room more than open warnings. As in run.css. */
const LOW = 560;

interface HeaderActions {
  act(action: RunAction, run: RunData): void;
}

/** Name, state, progress and errors. `several`: a compact form for one of several runs in a comparison. */
export function header(run: RunData, now: number, several: boolean, actions: HeaderActions): TemplateResult {
  const { facts } = run;
  const name = facts?.name ?? run.folder.split(/[\\/]/).pop();
  return html`<section class="run-header" aria-label=${t('Run {0}', name ?? '')}>
    <div class="title">
      ${several ? swatch(run.index) : nothing} ${several ? html`<h2>${name}</h2>` : html`<h1>${name}</h1>`}
      <span class="state state-${facts?.state ?? 'starting'} ${isAlarming(run) ? 'state-worse' : ''}"
        >${stateWords(run)}</span
      >
      ${several ? nothing : buttons(run, several, actions)}
    </div>
    ${several ? nothing : subtitle(run)} ${progress(run)} ${numbers(run, now, several)}
    ${device(run, several)} ${staticForm(run)} ${origin(run)} ${problems(run)}
    ${several ? buttons(run, several, actions) : nothing}
  </section>`;
}

function subtitle({ facts }: RunData): TemplateResult {
  const parts = [facts?.experiment !== facts?.name ? facts?.experiment : undefined, facts?.id];
  return html`<p class="quiet">${[...new Set(parts)].filter(Boolean).join(' · ')}</p>
    ${facts?.note ? html`<p class="note">${facts.note}</p>` : nothing}
    ${facts?.tags ? html`<p class="quiet tags">${t('Tags: {0}', facts.tags.join(', '))}</p>` : nothing}`;
}

function progress(run: RunData): unknown {
  const total = run.totalSteps;
  const preparing = isActive(run) ? run.facts?.status?.preparing : undefined;
  if (preparing) {
    const percent = preparedPercent(preparing);
    return html`<div class="progress">
      ${
        percent === undefined
          ? html`<progress aria-label=${t('Preparing')}></progress>`
          : html`<progress max="100" .value=${percent} aria-label=${t('Preparing')}></progress>`
      }
      <span>${preparingText(preparing)}</span>
    </div>`;
  }
  if (!total) return nothing;
  const step = Math.max(run.lastStep, 0);
  return html`<div class="progress">
    <progress max=${total} .value=${step} aria-label=${t('Steps trained')}></progress>
    <span
      >${t('Step {0} of {1} ({2})', formatCount(step), formatCount(total), progressPercent(step, total))}</span
    >
  </div>`;
}

function numbers(run: RunData, now: number, several: boolean): unknown {
  const left = timeLeft(run);
  const best = headline(run);
  const n = run.records;
  const facts: [string, string][] = [];
  if (run.started || n > 0) facts.push([t('Elapsed'), durationText(elapsed(run, now))]);
  if (left !== undefined) facts.push([t('Time left'), estimateText(left)]);
  const pace = secondsPerStep(run);
  if (pace !== undefined && !several) facts.push([t('Time per step'), stepTime(pace)]);
  if (n > 0 && !several) facts.push([t('Memory'), formatBytes(run.column('memory')[n - 1])]);
  const last = lastLoss(run);
  if (last !== undefined) facts.push([t('Validation loss'), last]);
  const training = trainingLoss(run);
  if (training)
    facts.push([
      training.smoothed ? t('Training loss, smoothed') : t('Training loss'),
      formatLoss(training.value),
    ]);
  if (best) facts.push([best.name, t('{0} at step {1}', best.value, formatCount(best.step))]);
  const { started } = run;
  if (started && !several)
    facts.push([
      t('Trained parameters'),
      started.trainableHead > 0
        ? t('{0} + {1} in the head', formatCount(started.trainable), formatCount(started.trainableHead))
        : formatCount(started.trainable),
    ]);
  const ranks = ranksIn(run.events);
  if (ranks && !several) facts.push([t('Ranks from the data'), ranksText(ranks)]);
  if (facts.length === 0) return nothing;
  return html`<dl class="numbers">
    ${facts.map(
      ([name, value]) =>
        html`<div>
          <dt>${name}</dt>
          <dd>${value}</dd>
        </div>`,
    )}
  </dl>`;
}

/** The device and why it was chosen; in a comparison, without what else was tried. */
function device({ device: of }: RunData, several: boolean): unknown {
  if (!of) return nothing;
  const words = several ? deviceWords(of) : deviceLine(of);
  return html`<p class="quiet" data-fact="device" title=${words}>${t('Device: {0}.', words)}</p>`;
}

/** Says where training.staticEpochs may cause a jump in the curve. */
function staticForm({ facts, started }: RunData): unknown {
  const { staticEpochs = 0, epochs: written = 0 } = facts?.spec?.training ?? {};
  // training.maxSteps may take more or fewer.
  const epochs = started?.epochs ?? written;
  if (staticEpochs === 0) return nothing;
  const words =
    staticEpochs >= epochs
      ? t('This run trains the static form, which can be merged without loss.')
      : staticEpochs === 1
        ? t('The last epoch trains the static form, which can be merged without loss.')
        : t('The last {0} epochs train the static form, which can be merged without loss.', staticEpochs);
  return html`<p class="quiet" data-fact="static">${words}</p>`;
}

/** The origin of a fork, or of an adapter from disk. */
function origin(run: RunData): unknown {
  const { forked, imported } = run;
  if (imported?.combination)
    return html`<p>${t('Combined by {0}.', combinationText(imported.combination))}</p>`;
  if (imported) return html`<p>${t('Imported from {0} ({1}).', imported.adapter, imported.peftType)}</p>`;
  if (!forked) return nothing;
  const changes = forked.changed.map(({ key, from, to }) => t('{0}: {1} → {2}', key, text(from), text(to)));
  return html`<p>
    ${t('Forked from {0} at step {1}', forked.fromRun, forked.fromStep)},
    ${changes.length > 0 ? html`<code>${changes.join(', ')}</code>` : t('with no changes')}.
  </p>`;
}

const text = (value: unknown): string => (value === undefined ? t('not set') : JSON.stringify(value));

function problems(run: RunData): unknown {
  const failed = failure(run);
  const error =
    run.facts?.error ?? (failed && { message: failed.message, hint: failed.hint, step: failed.step });
  const list = warnings(run);
  return html`${
    error
      ? html`<div class="message error" role="alert">
          <p>${error.message}</p>
          ${error.hint ? html`<p>${error.hint}</p>` : nothing}
        </div>`
      : nothing
  }
  ${alarmList(run)}
  ${
    list.length > 0
      ? html`<details class="message warning" ?open=${list.length <= 3 && innerHeight > LOW}>
          <summary>${list.length === 1 ? t('1 warning') : t('{0} warnings', list.length)}</summary>
          <ul>
            ${list.map((w) => html`<li>${w}</li>`)}
          </ul>
        </details>`
      : nothing
  }`;
}

/** Problems during training, and with its result. */
function alarmList(run: RunData): unknown {
  const worse = worseResult(run);
  const alarms = alarmsOf(run.events);
  if (alarms.length === 0 && worse === undefined) return nothing;
  return html`<div class="message warning" role="alert" data-fact="alarms">
    ${worse === undefined ? nothing : html`<p>${worse}</p>`}
    <ul>
      ${alarms.map(
        (alarm) => html`<li>${t('Step {0}: {1}', formatCount(alarm.step), alarmSentence(alarm))}</li>`,
      )}
    </ul>
  </div>`;
}

/** True if it has learned something that can be tried. */
const askable = (run: RunData): boolean =>
  (run.facts?.checkpoints.length ?? 0) > 0 || run.evaluations.some((e) => e.best);

/** While a run is active, these pages say what they wait for. */
const hasActivations = (run: RunData): boolean =>
  isActive(run) || run.events.some((e) => e.kind === 'activations');
const hasErrors = (run: RunData): boolean => isActive(run) || run.evaluations.length > 0;

function buttons(run: RunData, several: boolean, { act }: HeaderActions): unknown {
  const state = run.facts?.state;
  if (state === 'gone') return nothing;
  const button = (action: RunAction, label: string, primary = false) =>
    html`<vscode-button
      appearance=${primary ? 'primary' : 'secondary'}
      data-action=${action}
      aria-label=${several ? `${label}: ${run.facts?.name ?? ''}` : label}
      @click=${() => act(action, run)}
      >${label}</vscode-button
    >`;
  return html`<div class="buttons">
    ${isActive(run) ? button('stop', t('Stop'), !several) : nothing}
    ${run.facts?.canResume ? button('resume', t('Resume'), !several) : nothing}
    ${run.facts?.canRunAgain ? button('again', t('Run Again'), !several) : nothing}
    ${several || !hasActivations(run) ? nothing : button('activations', t('Show Layer Activations'))}
    ${several || !hasErrors(run) ? nothing : button('errors', t('Show Errors'))}
    ${several || !askable(run) ? nothing : button('playground', t('Open Playground'))}
    ${several || !run.facts?.checkpoints.length ? nothing : button('export', t('Export'))}
    ${several ? nothing : button('log', t('Show Log'))}
    ${several ? nothing : button('settings', t('Open Settings'))}
    ${several ? nothing : button('experiment', t('Open Experiment'))}
  </div>`;
}

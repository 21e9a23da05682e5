import { durationText, epochText } from '../../src/base/number-text';
import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { lastAtMost } from '../charts/search';
import { formatCount, formatLoss } from './format';
import type { RunData } from './model';

/** A point of a run's loss curve. */
export interface Point {
  run: RunData;
  /** Index of the record. */
  index: number;
}

/** The newest checkpoint from which a fork at a step can start. */
export function checkpointFor({ facts }: RunData, step: number): number | undefined {
  const steps = Float64Array.from(facts?.checkpoints ?? []);
  const at = lastAtMost(steps, step);
  return at < 0 ? undefined : steps[at];
}

/** The step and its loss, and its position on the other axes. @param format of the loss; all digits by default */
export function pointWords({ run, index }: Point, format: (loss: number) => string = String): string {
  const step = run.column('step')[index];
  const epoch = run.x('epoch')[index];
  const parts = [
    t('Step {0}', formatCount(step)),
    t('loss {0}', format(run.column('loss')[index])),
    Number.isFinite(epoch) ? t('epoch {0}', epochText(epoch)) : '',
    durationText(run.x('time')[index]),
  ];
  return parts.filter(Boolean).join(' · ');
}

/** The bar under the loss curve: the chosen point, and what to do with it. */
export function forkBar(
  point: Point | undefined,
  several: boolean,
  fork: (run: string, step: number) => void,
): TemplateResult {
  if (!point) return html`<div class="fork-bar"></div>`;
  const { run, index } = point;
  const step = run.column('step')[index];
  const checkpoint = checkpointFor(run, step);
  return html`<div class="fork-bar">
    <span class="point"
      >${several ? html`<b>${run.facts?.name}</b> ` : nothing}${pointWords(point, formatLoss)}</span
    >
    <span class="quiet" id="fork-from">${forkWords(run, step, checkpoint)}</span>
    <vscode-button
      appearance="secondary"
      data-action="fork"
      aria-describedby="fork-from"
      ?disabled=${checkpoint === undefined}
      @click=${() => checkpoint !== undefined && fork(run.folder, checkpoint)}
      >${t('Fork Here …')}</vscode-button
    >
  </div>`;
}

export function forkWords({ facts }: RunData, step: number, checkpoint: number | undefined): string {
  if (checkpoint !== undefined)
    return checkpoint === step
      ? t('A fork starts from the checkpoint at this step.')
      : t('A fork starts from the nearest checkpoint before it, at step {0}.', formatCount(checkpoint));
  const first = facts?.checkpoints[0];
  return first === undefined
    ? t('There is no checkpoint to fork from yet.')
    : t('The oldest remaining checkpoint is at step {0}; choose a point after it.', formatCount(first));
}

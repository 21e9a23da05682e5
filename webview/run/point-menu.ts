import { durationText, epochText } from '../../src/base/number-text';
import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../src/base/l10n';
import { lastAtMost } from '../charts/curve';
import { formatCount, formatLoss } from './run-numbers';
import type { RunData } from './run-data';
import { ref } from 'lit/directives/ref.js';
import { CHART_FORMATS, type ChartFormat } from '../../src/protocol/panels/save-chart';

/** A point of a run's loss curve. */
export interface Point {
  run: RunData;
  /** Index of the record. */
  index: number;
}

/** The newest checkpoint from which a fork at a step can start. */
function checkpointFor({ facts }: RunData, step: number): number | undefined {
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
      >${t('Fork Here…')}</vscode-button
    >
  </div>`;
}

function forkWords({ facts }: RunData, step: number, checkpoint: number | undefined): string {
  if (checkpoint !== undefined)
    return checkpoint === step
      ? t('A fork starts from the checkpoint at this step.')
      : t('A fork starts from the nearest checkpoint before it, at step {0}.', formatCount(checkpoint));
  const first = facts?.checkpoints[0];
  return first === undefined
    ? t('No checkpoint to fork from yet.')
    : t('The oldest remaining checkpoint is at step {0}; choose a point after it.', formatCount(first));
}

export interface OpenMenu {
  /** The key of the chart it belongs to. */
  chart: string;
  /** The point of the loss curve, if it was opened there. */
  point: Point | undefined;
  /** Gets the focus back; the loss curve by default. */
  opener?: HTMLElement;
  /** Position in the window, in CSS pixels. */
  left: number;
  top: number;
}

interface MenuActions {
  fork(run: string, step: number): void;
  resetZoom(): void;
  save(chart: string, format: ChartFormat): void;
  close(): void;
}

/** The menu of a chart, and of a point of the loss curve. */
export function pointMenu(menu: OpenMenu | undefined, actions: MenuActions): TemplateResult | typeof nothing {
  if (!menu) return nothing;
  const choose = (action: () => void) => () => {
    actions.close();
    action();
  };
  return html`<div
    class="point-menu"
    role="menu"
    aria-label=${t('Chart')}
    ${ref((element) => place(element as HTMLElement | undefined, menu))}
    @keydown=${(e: KeyboardEvent) => onKey(e, actions)}
    @focusout=${(e: FocusEvent) => {
      const to = e.relatedTarget as Node | null;
      if (to && !(e.currentTarget as Element).contains(to)) actions.close();
    }}
  >
    ${menu.point ? forkItem(menu.point, choose, actions) : nothing}
    <button role="menuitem" @click=${choose(actions.resetZoom)}>${t('Reset Zoom')}</button>
    ${CHART_FORMATS.map(
      (format) =>
        html`<button
          role="menuitem"
          data-save=${format}
          @click=${choose(() => actions.save(menu.chart, format))}
        >
          ${t('Save as {0}…', format.toUpperCase())}
        </button>`,
    )}
  </div>`;
}

function forkItem(
  { run, index }: Point,
  choose: (action: () => void) => () => void,
  actions: MenuActions,
): TemplateResult {
  const step = run.column('step')[index];
  const checkpoint = checkpointFor(run, step);
  return html`<button
    role="menuitem"
    aria-disabled=${checkpoint === undefined ? 'true' : 'false'}
    @click=${checkpoint === undefined ? nothing : choose(() => actions.fork(run.folder, checkpoint))}
  >
    ${checkpoint === undefined ? t('Fork Here') : t('Fork from Step {0}…', checkpoint)}
    <small>${forkWords(run, step, checkpoint)}</small>
  </button>`;
}

const placed = new WeakMap<HTMLElement, OpenMenu>();

/** Keeps it within the window and focuses the first item; once each time it opens. */
function place(element: HTMLElement | undefined, menu: OpenMenu): void {
  if (!element || placed.get(element) === menu) return;
  placed.set(element, menu);
  requestAnimationFrame(() => {
    const { width, height } = element.getBoundingClientRect();
    element.style.left = `${Math.max(0, Math.min(menu.left, innerWidth - width - 4))}px`;
    element.style.top = `${Math.max(0, Math.min(menu.top, innerHeight - height - 4))}px`;
    element.querySelector<HTMLElement>('[role=menuitem]')?.focus({ preventScroll: true });
  });
}

function onKey(e: KeyboardEvent, { close }: MenuActions): void {
  const items = [...(e.currentTarget as Element).querySelectorAll<HTMLElement>('[role=menuitem]')];
  const at = items.indexOf(document.activeElement as HTMLElement);
  const move = { ArrowDown: 1, ArrowUp: -1 }[e.key];
  if (move !== undefined) items[(at + move + items.length) % items.length].focus();
  else if (e.key === 'Escape' || e.key === 'Tab') close();
  else return;
  e.preventDefault();
}

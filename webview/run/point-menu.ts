import { html, nothing, type TemplateResult } from 'lit';
import { ref } from 'lit/directives/ref.js';
import { CHART_FORMATS, type ChartFormat } from '../../src/protocol/panels/save-chart';
import { t } from '../../src/base/l10n';
import { checkpointFor, forkWords, type Point } from './fork';

export interface OpenMenu {
  /** The key of the chart it belongs to. */
  chart: string;
  /** Of the loss curve, if that is where it was opened. */
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
          ${t('Save as {0} …', format.toUpperCase())}
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
    ${checkpoint === undefined ? t('Fork Here') : t('Fork from Step {0} …', checkpoint)}
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

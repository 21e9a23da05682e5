import { html, nothing, type TemplateResult } from 'lit';
import { t } from '../../../src/base/l10n';
import { button, ENTER, field } from '../text-form';
import { drawingForm, drawingOf, type TypedDrawing } from './settings';

export interface PictureForm {
  prompt: string;
  /** What pictures are pushed away from. */
  negative: string;
  /** Undefined until the model is loaded. */
  settings: TypedDrawing | undefined;
  /** Whether its program runs. */
  ready: boolean;
  /** Whether a picture is being drawn. */
  busy: boolean;
  /** Of an unchanged validation prompt: where it is from. */
  truth?: string;
  can: { sample: boolean; compare: boolean };
  type(change: { text?: string; negative?: string }): void;
  set(change: Partial<TypedDrawing>): void;
  act(action: 'ask' | 'stop' | 'sample' | 'compare'): void;
}

/** The fields for a prompt and how to draw it, and the buttons. */
export function pictureForm(f: PictureForm): TemplateResult {
  const { act, busy } = f;
  const settings = f.settings && drawingOf(f.settings);
  const askable = f.ready && settings !== undefined;
  return html`<form
    @submit=${(e: Event) => e.preventDefault()}
    @keydown=${(e: KeyboardEvent) => {
      if (e.key === 'Escape' && busy) return act('stop');
      if (e.key !== 'Enter' || !(e.ctrlKey || e.metaKey)) return;
      e.preventDefault();
      if (askable) act('ask');
    }}
  >
    ${field(t('Prompt'), t('What the picture shows.'), 3, f.prompt, (text) => f.type({ text }))}
    ${f.truth === undefined ? nothing : html`<p class="truth-line" role="status">${f.truth}</p>`}
    ${field(t('Negative prompt'), t('What it should not show.'), 2, f.negative, (negative) => f.type({ negative }))}
    ${f.settings ? drawingForm(f.settings, f.set) : nothing}
    ${
      f.negative.trim() !== '' && settings && settings.guidance <= 1
        ? html`<p class="note">${t('Without guidance (above 1), the negative prompt has no effect.')}</p>`
        : nothing
    }
    <div class="buttons">
      ${button(act, 'ask', t('Draw'), true, askable)} ${busy ? button(act, 'stop', t('Stop')) : nothing}
      ${f.can.sample ? button(act, 'sample', t('Try a Validation Prompt')) : nothing}
      ${f.can.compare ? button(act, 'compare', t('Compare with…')) : nothing}
      <span class="note">${t('Press {0} to draw, Escape to stop.', ENTER)}</span>
    </div>
  </form>`;
}

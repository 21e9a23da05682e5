import { html, nothing, type TemplateResult } from 'lit';
import type { BudgetAnswer } from '../../src/protocol/panels/budget';
import { t } from '../../src/base/l10n';

export interface WriteInput {
  name: string;
  answer: BudgetAnswer;
  written: { ok: boolean; message: string } | undefined;
  write(): void;
  openFile(): void;
}

/** A preview of what a write would change, and its result. */
export function writeSection({ name, answer, written, write, openFile }: WriteInput): TemplateResult {
  const { changes = [], cannotWrite, problems } = answer;
  const ready = changes.length > 0 && problems.length === 0;
  return html`<div class="write">
    <div class="buttons">
      <vscode-button ?disabled=${!ready} @click=${write}>${t('Write to Experiment')}</vscode-button>
      <vscode-button appearance="secondary" @click=${openFile}>${t('Open File')}</vscode-button>
    </div>
    ${
      cannotWrite
        ? html`<p class="note">${cannotWrite}</p>`
        : ready
          ? html`<p class="hint">${t('Changes to {0}:', name)}</p>
              <ul class="hint">
                ${changes.map((c) => html`<li><code>${c}</code></li>`)}
              </ul>`
          : html`<p class="hint">
              ${problems.length ? t('Fix the marked settings first.') : t('{0} already has these settings.', name)}
            </p>`
    }
    ${written ? html`<p class=${written.ok ? 'note' : 'problem'}>${written.message}</p>` : nothing}
  </div>`;
}

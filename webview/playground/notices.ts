import { html, nothing, type TemplateResult } from 'lit';
import type { PlaygroundView } from '../../src/protocol/panels/playground-view';
import { t } from '../../src/base/l10n';

/** Errors, with the next step. */
export function notices({ notice, program, problem }: PlaygroundView, restart: () => void): TemplateResult {
  const again = html`<vscode-button data-action="restart" @click=${restart}
    >${t('Start Again')}</vscode-button
  >`;
  return html`${
    notice
      ? html`<div class="message" role="alert">
          <p>${notice}</p>
          ${program === 'ended' ? again : nothing}
        </div>`
      : nothing
  }
  ${
    problem
      ? html`<div class="message" role="alert">
          <p>${[problem.message, problem.hint].filter(Boolean).join(' ')}</p>
        </div>`
      : nothing
  }`;
}

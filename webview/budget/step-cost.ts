import { html, nothing, type TemplateResult } from 'lit';
import { live } from 'lit/directives/live.js';
import { bytes, shortNumber, stepTime } from '../../src/base/number-text';
import type { BudgetStep } from '../../src/protocol/panels/budget';
import type { StepCost, StepMemory } from '../../src/protocol/step-cost';
import { t } from '../../src/base/l10n';
import { flops } from './budget-numbers';

interface StepInput {
  batch: string;
  /** Undefined for a model that reads no texts. */
  length: string | undefined;
  /** The cost of the current settings. */
  step: BudgetStep | undefined;
  estimating: boolean;
  change(over: { batch?: string; length?: string }): void;
  estimate(batch: number, length: number): void;
}

/** Memory and time of a training step on this machine, estimated on request: a program reads the model for it. */
export function stepSection({
  batch,
  length,
  step,
  estimating,
  change,
  estimate,
}: StepInput): TemplateResult {
  const examples = wholeIn(batch);
  const tokens = length === undefined ? 1 : wholeIn(length);
  const box = (id: 'batch' | 'length', label: string, value: string, valid: boolean) =>
    html`<vscode-text-field
      id="step-${id}"
      aria-invalid=${valid ? 'false' : 'true'}
      .value=${live(value)}
      @input=${(e: Event) => change({ [id]: (e.currentTarget as HTMLInputElement).value })}
      >${label}</vscode-text-field
    >`;
  return html`<section class="step" aria-labelledby="step-title">
    <h2 id="step-title">${t('A training step on this machine')}</h2>
    <form
      class="step-form"
      @submit=${(e: Event) => e.preventDefault()}
      @keydown=${(e: KeyboardEvent) => {
        if (e.key === 'Enter' && examples && tokens) estimate(examples, tokens);
      }}
    >
      ${box('batch', t('Examples'), batch, examples !== undefined)}
      ${length === undefined ? nothing : box('length', t('Tokens per text'), length, tokens !== undefined)}
      <vscode-button
        appearance="secondary"
        ?disabled=${!examples || !tokens || estimating}
        @click=${() => estimate(examples!, tokens!)}
        >${t('Estimate')}</vscode-button
      >
    </form>
    ${
      examples && tokens
        ? nothing
        : html`<p class="problem">${t('Examples and tokens are whole numbers of at least 1.')}</p>`
    }
    <div role="status">
      ${estimating ? html`<p class="hint">${t('Estimating…')}</p>` : step ? answer(step) : nothing}
    </div>
  </section>`;
}

function answer({ cost, problem }: BudgetStep): TemplateResult {
  const why = problem ?? cost?.problem;
  return html`
    ${cost ? costs(cost) : nothing} ${why === undefined ? nothing : html`<p class="note">${why}</p>`}
  `;
}

function costs({ memory, time }: StepCost): TemplateResult {
  return html`<dl class="step-costs">
      ${
        memory
          ? html`<dt>${t('Memory')}</dt>
              <dd>
                <strong>${bytes(memory.total)}</strong>
                <span class="hint">${parts(memory)}</span>
              </dd>`
          : nothing
      }
      ${
        time
          ? html`<dt>${t('Time')}</dt>
              <dd>
                <strong>${t('about {0}', stepTime(time.seconds))}</strong>
                <span class="hint"
                  >${t('{0} at {1} GFLOP/s on the CPU', flops(time.flops), shortNumber(time.rates.gflops))}</span
                >
              </dd>`
          : nothing
      }
    </dl>
    ${
      memory?.available !== undefined && memory.total > memory.available
        ? html`<p class="problem">${t('Only {0} are available now.', bytes(memory.available))}</p>`
        : nothing
    }
    <p class="hint">
      ${t('Estimated for the CPU from the graph that would run; preflight measures an experiment.')}
    </p>`;
}

const parts = ({ weights, activations, evaluation, program }: StepMemory): string =>
  t(
    'weights {0}, activations {1}, evaluation {2}, program {3}',
    bytes(weights),
    bytes(activations),
    bytes(evaluation),
    bytes(program),
  );

function wholeIn(text: string): number | undefined {
  const value = Number(text);
  return /^\s*\d{1,7}\s*$/.test(text) && value > 0 ? value : undefined;
}

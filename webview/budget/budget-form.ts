import { html, nothing, type TemplateResult } from 'lit';
import { keyed } from 'lit/directives/keyed.js';
import { live } from 'lit/directives/live.js';
import { repeat } from 'lit/directives/repeat.js';
import type { Ending } from '../../src/protocol/budget';
import {
  aboutMethod,
  LAYER_METHODS,
  METHOD_NAMES,
  isSubject,
  type SizeSetting,
  SPLINE_READINGS,
} from '../../src/experiment/methods';
import type {
  BudgetFields,
  FieldName,
  FieldProblem,
  ModelChoice,
  ModelState,
  BudgetAnswer,
} from '../../src/protocol/panels/budget';
import type { Recipe, PaperReport } from '../../src/experiment/paper';
import { t } from '../../src/base/l10n';

interface ControlsInput {
  models: readonly ModelChoice[];
  fields: BudgetFields;
  model: ModelState | undefined;
  problems: readonly FieldProblem[];
  /** Settings of the experiment that have no control. */
  others: readonly string[];
  /** Id of the last chosen recipe from the paper. */
  recipe: string | undefined;
  change(over: Partial<BudgetFields>): void;
  chooseRecipe(recipe: Recipe | undefined, over: Partial<BudgetFields>): void;
}

type TextName = Exclude<FieldName, 'model' | 'targets' | 'method' | 'splineOrder' | 'spline'>;
const valueOf = (e: Event): string => (e.currentTarget as HTMLInputElement).value;

function sizeLabel(size: SizeSetting): string {
  if (size === 'rank') return t('Rank r');
  if (size === 'frequencies') return t('Frequencies n');
  return size === 'blockSize' ? t('Block size b') : t('Share of trained places');
}

export function controls(input: ControlsInput): TemplateResult {
  const { fields, model } = input;
  const about = aboutMethod(fields.method);
  return html`
    ${modelControl(input)}
    ${model?.state === 'ready' && model.source ? html`<p class="hint">${model.source}</p>` : nothing}
    ${
      model?.state === 'ready' && model.paper
        ? recipeControl(model.paper, fields, input.recipe, input.chooseRecipe)
        : nothing
    }
    ${targetControls(input)} ${methodControl(input)}
    <div class="pair">
      ${about.size ? textControl(input, about.size, sizeLabel(about.size)) : nothing}
      ${about.hasAlpha ? textControl(input, 'alpha', t('Alpha')) : nothing}
    </div>
    ${
      about.nonlinear
        ? html`<div class="pair">
              ${textControl(input, 'gridSize', t('Grid intervals G'))}
              ${choiceControl(input, 'splineOrder', t('Spline order k'), ['1', '2', '3'])}
            </div>
            ${choiceControl(input, 'spline', t('Splines'), SPLINE_READINGS, (v) => READINGS[v]?.() ?? v)}`
        : nothing
    }
    <div class="pair">
      ${textControl(input, 'loraRank', t('LoRA’s rank'))}
      ${textControl(input, 'tokens', t('Tokens per step'))}
    </div>
    <p class="hint">
      ${t('Alpha scales the output and costs nothing. The adapter is compared with LoRA at LoRA’s rank. Tokens per step: at most batch × accumulation × length.')}
    </p>
    ${
      input.others.length
        ? html`<p class="hint">${t('The experiment also sets:')}</p>
            <ul class="hint">
              ${input.others.map((o) => html`<li><code>${o}</code></li>`)}
            </ul>`
        : nothing
    }
  `;
}

const modelLabel = ({ label, kind }: ModelChoice): string =>
  kind === 'experiment'
    ? t('{0} (this experiment)', label)
    : kind === 'paper'
      ? t('{0} (shapes from the paper)', label)
      : label;

function modelControl({ models, fields, change, problems }: ControlsInput): TemplateResult {
  const choose = (e: Event) => {
    const id = valueOf(e);
    const chosen = models.find((m) => m.id === id);
    if (!chosen || id === fields.model) return;
    change({
      model: id,
      ...(chosen.names !== undefined && { targets: 'names', names: chosen.names }),
      ...(chosen.loraRank !== undefined && { loraRank: String(chosen.loraRank) }),
    });
  };
  return field(
    'model',
    problems,
    html`<label id="model-label" for="model">${t('Model')}</label>
      <vscode-dropdown id="model" aria-labelledby="model-label" data-value=${fields.model} @change=${choose}>
        ${repeat(
          models,
          (m) => m.id,
          (m) => html`<vscode-option value=${m.id}>${modelLabel(m)}</vscode-option>`,
        )}
      </vscode-dropdown>`,
  );
}

function targetControls(input: ControlsInput): TemplateResult {
  const { fields, change, model, problems } = input;
  const modes: [BudgetFields['targets'], string][] = [
    ['names', t('By name')],
    ['regex', t('By regular expression')],
    ['all-linear', t('All linear layers')],
  ];
  return html`
    ${field(
      'targets',
      problems,
      radios('targets', t('Adapted modules'), modes, fields.targets, (targets) => change({ targets })),
    )}
    ${
      fields.targets === 'names'
        ? html`${model?.state === 'ready' ? endings(model.endings, input) : nothing}
          ${textControl(input, 'names', t('Names or endings of module paths'))}`
        : fields.targets === 'regex'
          ? textControl(input, 'regex', t('Regular expression over the whole path'))
          : html`<p class="hint">${t('Every linear layer except the model’s output.')}</p>`
    }
  `;
}

/** Out × in, for a few modules. */
const shapes = (e: Ending): string =>
  e.shapes.length > 2 ? `${e.shapes.slice(0, 2).join(', ')}, …` : e.shapes.join(', ');

/** The boxes are shortcuts to the text field, which holds the value. */
function endings(found: readonly Ending[], { fields, change }: ControlsInput): TemplateResult {
  const names = fields.names.split(/[\s,]+/).filter((n) => n !== '');
  const toggle = (name: string) => {
    const rest = names.filter((n) => n !== name);
    change({ names: (rest.length < names.length ? rest : [...names, name]).join(', ') });
  };
  return html`<div class="endings" role="group" aria-label=${t('Names found in the model')}>
    ${repeat(
      found,
      (e) => e.name,
      (e) =>
        html`<vscode-checkbox
          ?checked=${names.includes(e.name)}
          .checked=${live(names.includes(e.name))}
          @click=${(event: Event) => {
            event.preventDefault();
            toggle(e.name);
          }}
          @keydown=${(event: KeyboardEvent) => {
            if (event.key !== ' ') return;
            event.preventDefault();
            event.stopImmediatePropagation();
            toggle(e.name);
          }}
          >${e.name}
          <span class="hint"
            >${e.modules === 1 ? t('1 module') : t('{0} modules', e.modules)}, ${shapes(e)}</span
          ></vscode-checkbox
        >`,
    )}
  </div>`;
}

function methodControl({ fields, change, problems }: ControlsInput): TemplateResult {
  return field(
    'method',
    problems,
    html`<label id="method-label" for="method">${t('Method')}</label>
      <vscode-dropdown
        id="method"
        aria-labelledby="method-label"
        data-value=${fields.method}
        @change=${(e: Event) => {
          const method = LAYER_METHODS.find((m) => m === valueOf(e));
          if (method && method !== fields.method) change({ method });
        }}
      >
        ${LAYER_METHODS.map((m) => html`<vscode-option value=${m}>${METHOD_NAMES[m]}</vscode-option>`)}
      </vscode-dropdown>`,
  );
}

const radios = <V extends string>(
  name: string,
  label: string,
  options: [V, string][],
  value: V,
  choose: (value: V) => void,
): TemplateResult =>
  html`<span class="label" id="${name}-label">${label}</span>
    <vscode-radio-group
      name=${name}
      orientation=${options.length > 2 ? 'vertical' : 'horizontal'}
      aria-labelledby="${name}-label"
      .value=${live(value)}
      @change=${(e: Event) => {
        const chosen = (e.currentTarget as HTMLInputElement).value as V;
        if (chosen !== value && options.some(([v]) => v === chosen)) choose(chosen);
      }}
    >
      ${options.map(([v, text]) => html`<vscode-radio name=${name} value=${v}>${text}</vscode-radio>`)}
    </vscode-radio-group>`;

/** Keyed: a reused field of the toolkit shows the previous setting's text until the next frame, and loses what is typed meanwhile. */
const textControl = ({ fields, change, problems }: ControlsInput, name: TextName, label: string) =>
  keyed(
    name,
    field(
      name,
      problems,
      html`<vscode-text-field
        id=${name}
        aria-invalid=${problems.some((p) => p.field === name) ? 'true' : 'false'}
        .value=${live(fields[name])}
        @input=${(e: Event) => change({ [name]: valueOf(e) })}
        >${label}</vscode-text-field
      >`,
    ),
  );

/** One of the known values; another one is shown as it is in the experiment, until it is changed. */
function choiceControl(
  { fields, change, problems }: ControlsInput,
  name: 'splineOrder' | 'spline',
  label: string,
  known: readonly string[],
  textOf: (value: string) => string = (value) => value,
): TemplateResult {
  const current = fields[name];
  const values = known.includes(current) ? known : [...known, current];
  return field(
    name,
    problems,
    html`<label id=${`${name}-label`} for=${name}>${label}</label>
      <vscode-dropdown
        id=${name}
        aria-labelledby=${`${name}-label`}
        data-value=${current}
        @change=${(e: Event) => {
          const value = valueOf(e);
          if (value && value !== current) change({ [name]: value });
        }}
      >
        ${values.map((v) => html`<vscode-option value=${v}>${textOf(v)}</vscode-option>`)}
      </vscode-dropdown>`,
  );
}

const READINGS: Record<string, () => string> = {
  shared: () => t('Shared: one sum over all of z'),
  'per-dimension': () => t('One per dimension'),
  'per-pair': () => t('One per pair of dimensions'),
};

/** A control with its error right below. */
function field(name: FieldName, problems: readonly FieldProblem[], control: TemplateResult): TemplateResult {
  const own = problems.filter((p) => p.field === name);
  return html`<div class="field" data-field=${name}>
    ${control}
    ${own.map(
      (p) => html`<p class="problem">${p.message}${p.hint ? html` <span>${p.hint}</span>` : nothing}</p>`,
    )}
  </div>`;
}

const NONE = 'none';

/** The paper's data sets for this model: choosing one fills in its settings from the paper, and marks its rows. */
function recipeControl(
  paper: PaperReport,
  fields: BudgetFields,
  chosen: string | undefined,
  choose: (recipe: Recipe | undefined, over: Partial<BudgetFields>) => void,
): TemplateResult {
  const value = paper.recipes.find((r) => r.id === chosen)?.id ?? NONE;
  const change = (e: Event) => {
    const id = (e.currentTarget as HTMLInputElement).value;
    if (id === value) return;
    const recipe = paper.recipes.find((r) => r.id === id);
    choose(recipe, recipe ? recipeFields(paper, recipe, fields) : {});
  };
  return html`<div class="field">
    <label id="recipe-label" for="recipe">${t('Settings from the paper for')}</label>
    <vscode-dropdown id="recipe" aria-labelledby="recipe-label" data-value=${value} @change=${change}>
      <vscode-option value=${NONE}>${t('No data set')}</vscode-option>
      ${paper.recipes.map((r) => html`<vscode-option value=${r.id}>${r.name}</vscode-option>`)}
    </vscode-dropdown>
  </div>`;
}

/** Rank, alpha and spline; and the tokens per step if the paper gives both batch and length. */
function recipeFields(
  { adapter }: PaperReport,
  { settings: { batchSize, maxLength } }: Recipe,
  fields: BudgetFields,
): Partial<BudgetFields> {
  const { rank, alpha, gridSize, splineOrder } = adapter;
  return {
    method: LAYER_METHODS.find((method) => isSubject({ method }))!,
    rank: String(rank),
    alpha: String(alpha),
    gridSize: String(gridSize),
    splineOrder: String(splineOrder),
    tokens: batchSize && maxLength ? String(batchSize * maxLength) : fields.tokens,
  };
}

interface WriteInput {
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

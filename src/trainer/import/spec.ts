import { AURORA_DEFAULTS } from '../../adapters/defaults';
import { fromPattern } from '../../adapters/targets';
import { adapterProblems } from '../../runs/experiment/check-value';
import { AuroraError } from '../../shared/errors';
import type { AuroraSpec, LoraSpec } from '../../shared/experiment';
import type { AdapterFolder } from './folder';

/** An adapter's settings but for the modules that it is on. */
export interface ImportedSpec {
  spec: Omit<AuroraSpec, 'targetModules'> | Omit<LoraSpec, 'targetModules'>;
  /** The form that was trained last. */
  form: 'dynamic' | 'static';
  /** Of a module, by the path that the file gives it. */
  alphaOf: (path: string) => number;
}

/** Settings of PEFT's LoRA with which the numbers mean something else. */
const REFUSED: readonly [key: string, what: string][] = [
  ['use_dora', 'DoRA'],
  ['lora_bias', 'LoRA with biases'],
  ['layer_replication', 'a model with repeated layers'],
  ['use_qalora', 'QALoRA'],
  ['arrow_config', 'an Arrow router'],
  ['alora_invocation_tokens', 'activated LoRA'],
];

/** Values of init_lora_weights that leave the base model's weights alone; with others PEFT changes them. */
const INITIALIZATIONS: unknown[] = [undefined, null, true, false, 'gaussian', 'eva', 'orthogonal'];

/**
 * @throws AuroraError 'adapter' where the configuration is of another method, is not whole, or has values that no
 *   experiment may have
 */
export function importedSpec(from: AdapterFolder): ImportedSpec {
  const read = new Reader(from.folder, from.config);
  const imported = specIn(from, read);
  const problems = adapterProblems({ ...imported.spec, targetModules: 'all-linear' });
  if (problems.length === 0) return imported;
  const messages = problems.map((p) => p.message);
  throw read.error(`does not do: ${messages.join('; ')}`);
}

function specIn({ config }: AdapterFolder, read: Reader): ImportedSpec {
  const type = read.text('peft_type');
  const rank = read.number('r');
  const patterns = { alpha: read.pattern('alpha_pattern') };
  const alphaOf = (otherwise: number) => (path: string) => fromPattern(path, patterns.alpha, otherwise);
  if (type === 'LORA') {
    const refused = REFUSED.find(([key]) => ![undefined, null, false].includes(config[key] as null));
    if (refused) throw read.error(`is of ${refused[1]} (${refused[0]}), which AuroRA Lab does not have`);
    if (!INITIALIZATIONS.includes(config.init_lora_weights))
      throw read.error(
        `has init_lora_weights ${JSON.stringify(config.init_lora_weights)}, with which PEFT changes the base model's own weights, so that it does not fit the model as it was`,
        'In PEFT, save it as a plain LoRA: save_pretrained(…, path_initial_model_for_weight_conversion=…).',
      );
    const bias = config.bias ?? 'none';
    if (bias !== 'none') throw read.error(`trains biases too (bias ${JSON.stringify(bias)})`);
    const alpha = read.number('lora_alpha');
    const spec = {
      method: 'lora',
      rank,
      alpha,
      useRslora: config.use_rslora === true,
      dropout: read.number('lora_dropout', 0),
      initialization: config.init_lora_weights === 'gaussian' ? 'gaussian' : 'kaiming-uniform',
    } as const;
    return { spec, form: 'dynamic', alphaOf: alphaOf(alpha) };
  }
  if (type !== 'AURORA') throw read.error(`is of the method ${type}`);
  const alpha = read.number('aurora_alpha');
  const d = AURORA_DEFAULTS;
  const spec: ImportedSpec['spec'] = {
    ...d,
    rank,
    alpha,
    gridSize: read.number('grid_size', d.gridSize),
    splineOrder: read.number('spline_order', d.splineOrder),
    gridRange: (config.grid_range as [number, number] | undefined) ?? d.gridRange,
    activation: (config.activation as AuroraSpec['activation'] | undefined) ?? d.activation,
    fixed: config.fixed !== false,
    learnable: config.learnable !== false,
    centerInputs: config.center_inputs === true,
    dropout: read.number('aurora_dropout', 0),
    initialization: config.init_weights === 'gaussian' ? 'gaussian' : 'kaiming-uniform',
  };
  return { spec, form: config.form === 'static' ? 'static' : 'dynamic', alphaOf: alphaOf(alpha) };
}

class Reader {
  constructor(
    private readonly folder: string,
    private readonly config: Record<string, unknown>,
  ) {}

  error(what: string, hint = 'LoRA, rsLoRA and AuroRA Lab’s own adapters can be imported.'): AuroraError {
    return new AuroraError('adapter', `${this.folder}/adapter_config.json ${what}.`, hint);
  }

  text(key: string): string {
    const value = this.config[key];
    if (typeof value === 'string') return value;
    throw this.error(`does not say ${key}`);
  }

  number(key: string, otherwise?: number): number {
    const value = this.config[key] ?? otherwise;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (value === undefined) throw this.error(`does not say ${key}`);
    throw this.error(`has ${key} ${JSON.stringify(value)}, where a number should be`);
  }

  pattern(key: string): Record<string, number> {
    const value = this.config[key] ?? {};
    if (typeof value !== 'object' || !Object.values(value).every((v) => typeof v === 'number'))
      throw this.error(`has a ${key} that gives no numbers`);
    const wrong = Object.keys(value).find((expression) => !isExpression(expression));
    if (wrong !== undefined)
      throw this.error(`has an expression in ${key}, ${JSON.stringify(wrong)}, that is none here`);
    return value as Record<string, number>;
  }
}

/** Python's are mostly also JavaScript's. */
function isExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

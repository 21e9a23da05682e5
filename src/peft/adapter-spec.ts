import { jsonText } from '../base/json-text';
import type { AdapterMethod, ConfigReader } from '../adapters/methods/method';
import { methodOf } from '../adapters/methods/registry';
import { fromPattern } from '../adapters/targets/targets';
import { AuroraError } from '../base/errors';
import { type AdapterSpec, METHOD_NAMES, METHOD_ORDER, type TrainedSpec } from '../experiment/methods';
import { adapterProblems } from '../runs/experiment/check-value';
import type { AdapterFolder } from './adapter-folder';

/** An adapter's settings, without its target modules. */
export interface ImportedSpec {
  spec: Omit<TrainedSpec, 'targetModules'>;
  /** The form that was trained last. */
  form: 'dynamic' | 'static';
  /** A module's alpha, by its path in the file; only for methods that have one. */
  alphaOf?: (path: string) => number;
  /** A module's rank by the configuration, for modules whose tensors do not show it; only for methods that have one. */
  rankIn?: (path: string) => number;
}

/** The names of PEFT's methods that an import reads. */
export const IMPORTED = METHOD_ORDER.filter((method) => methodOf({ method }).peft.loads)
  .map((method) => METHOD_NAMES[method])
  .join(', ');

/** Settings of PEFT's LoRA, and of types that extend it, that change the meaning of the numbers. */
const REFUSED: readonly [key: string, what: string][] = [
  ['layer_replication', 'a model with repeated layers'],
  ['use_qalora', 'QALoRA'],
  ['arrow_config', 'an Arrow router'],
  ['alora_invocation_tokens', 'activated LoRA'],
];

/**
 * Values of init_lora_weights that leave the base model's weights unchanged, and those whose change follows from the
 * weights; of others, PEFT's change is not known.
 */
const INITIALIZATIONS: unknown[] = [
  undefined,
  null,
  true,
  false,
  'gaussian',
  'eva',
  'orthogonal',
  'pissa',
  'olora',
];

const CONVERT =
  'In PEFT, save it as a plain LoRA: save_pretrained(…, path_initial_model_for_weight_conversion=…).';

/**
 * @throws AuroraError 'adapter' if the configuration is for another method, incomplete, or has values that experiments
 *   do not allow
 */
export function importedSpec(from: AdapterFolder): ImportedSpec {
  const read = new Reader(from.folder, from.config);
  const imported = specIn(from, read);
  const problems = adapterProblems({ ...imported.spec, targetModules: 'all-linear' } as AdapterSpec);
  if (problems.length === 0) return imported;
  const messages = problems.map((p) => p.message);
  throw read.error(`is not valid: ${messages.join('; ')}`);
}

function specIn({ config }: AdapterFolder, read: Reader): ImportedSpec {
  const { peft } = methodIn(config, read);
  const spec = peft.read(read);
  const { rank } = spec as { rank?: number };
  const pattern = read.pattern('alpha_pattern');
  const alpha = peft.alphaKey === undefined ? undefined : read.number(peft.alphaKey);
  return {
    spec,
    form: config.form === 'static' ? 'static' : 'dynamic',
    rankIn:
      rank === undefined
        ? undefined
        : (path) => fromPattern(path, read.pattern('rank_pattern'), rank, 'rankPattern'),
    alphaOf: alpha === undefined ? undefined : (path) => fromPattern(path, pattern, alpha, 'alphaPattern'),
  };
}

function methodIn(config: AdapterFolder['config'], read: Reader): AdapterMethod {
  const type = read.text('peft_type');
  checkCommon(config, read);
  if (type === 'LORA') checkLora(config, read);
  const ofType = METHOD_ORDER.map((method) => methodOf({ method })).filter(({ peft }) => peft.type === type);
  const found =
    ofType.find(({ peft: { flag } }) => flag !== undefined && config[flag] === true) ??
    ofType.find(({ peft: { flag } }) => flag === undefined);
  if (!found) throw read.error(`has the unsupported method ${type}`);
  return found;
}

/** Settings that several of PEFT's types have. */
function checkCommon(config: AdapterFolder['config'], read: Reader): void {
  const refused = REFUSED.find(([key]) => ![undefined, null, false].includes(config[key] as null));
  if (refused) throw read.error(`uses ${refused[1]} (${refused[0]}), which AuroRA Lab does not support`);
  const bias = config.bias ?? 'none';
  if (bias !== 'none') throw read.error(`trains biases too (bias ${JSON.stringify(bias)})`);
}

function checkLora(config: AdapterFolder['config'], read: Reader): void {
  if (!INITIALIZATIONS.includes(config.init_lora_weights))
    throw read.error(
      `has init_lora_weights ${JSON.stringify(config.init_lora_weights)}, with which PEFT changes the weights of the base model, in a way that cannot be computed again here`,
      CONVERT,
    );
  if (config.init_lora_weights === 'olora' && config.fan_in_fan_out === true)
    throw read.error(
      'has init_lora_weights "olora" on Conv1D modules, of whose transposed weights PEFT takes the QR decomposition',
      CONVERT,
    );
  if (config.lora_bias === true && config.use_dora === true)
    throw read.error('has lora_bias and use_dora, which PEFT does not allow together');
}

class Reader implements ConfigReader {
  constructor(
    private readonly folder: string,
    private readonly config: Record<string, unknown>,
  ) {}

  error(what: string, hint = `Import an adapter of ${IMPORTED}, or one made by AuroRA Lab.`): AuroraError {
    return new AuroraError('adapter', `${this.folder}/adapter_config.json ${what}.`, hint);
  }

  text(key: string): string {
    const value = this.config[key];
    if (typeof value === 'string') return value;
    throw this.error(`is missing ${key}`);
  }

  number(key: string, otherwise?: number): number {
    const value = this.config[key] ?? otherwise;
    if (typeof value === 'number' && Number.isFinite(value)) return value;
    if (value === undefined) throw this.error(`is missing ${key}`);
    throw this.error(`has ${key} ${jsonText(value)}, which must be a number`);
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.config[key] ?? otherwise;
    if (typeof value === 'boolean') return value;
    throw this.error(`has ${key} ${jsonText(value)}, which must be true or false`);
  }

  value(key: string): unknown {
    return this.config[key] ?? undefined;
  }

  pattern(key: string): Record<string, number> {
    const value = this.config[key] ?? {};
    if (typeof value !== 'object' || !Object.values(value).every((v) => typeof v === 'number'))
      throw this.error(`has a ${key} with values that are not numbers`);
    const wrong = Object.keys(value).find((expression) => !isExpression(expression));
    if (wrong !== undefined)
      throw this.error(`has a regular expression in ${key} that is not supported: ${JSON.stringify(wrong)}`);
    return value as Record<string, number>;
  }
}

/** Python regular expressions are mostly valid in JavaScript. */
function isExpression(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

import { AuroraError } from '../../../base/errors';
import type { Config } from '../config';
import type { GptqSettings } from './gptq';

/** The form in which a folder stores weights of few bits. */
export type Quantization =
  | ({ method: 'gptq' } & GptqSettings)
  | { method: 'awq'; groupSize: number }
  | {
      method: 'bitsandbytes';
      /** True for a module that keeps its floats, by its name in the files. */
      keeps: (module: string) => boolean;
    }
  | { method: 'mxfp4' };

const METHODS = ['gptq', 'awq', 'bitsandbytes', 'mxfp4'];

/**
 * The quantization that a config.json states; undefined if there is none. transformers reads these settings in
 * utils/quantization_config.py: `GPTQConfig`, `AwqConfig`, `BitsAndBytesConfig`, `Mxfp4Config`.
 *
 * @throws AuroraError 'model' for a method or a setting that is not supported, by name
 */
export function quantizationOf(config: Config): Quantization | undefined {
  if (config.has('compression_config')) throw refused(config, 'compression_config', []);
  const settings = config.section('quantization_config');
  if (!settings) return undefined;
  // Early versions of transformers wrote no method beside those of bitsandbytes.
  const isEarly = ['load_in_4bit', 'load_in_8bit'].some((key) => settings.has(key));
  const method = settings.text('quant_method', isEarly ? 'bitsandbytes' : '');
  switch (method) {
    case 'gptq':
      return gptq(settings);
    case 'awq':
      return awq(settings);
    case 'bitsandbytes':
      return bitsandbytes(settings);
    case 'mxfp4':
      return { method };
    default:
      throw refused(settings, 'quant_method', METHODS);
  }
}

function gptq(settings: Config): Quantization {
  requireOne(settings, 'bits', [4, 8, 2, 3]);
  const name = settings.has('checkpoint_format') ? 'checkpoint_format' : 'format';
  const format = settings.text(name, 'gptq').toLowerCase();
  if (format !== 'gptq' && format !== 'gptq_v2') throw refused(settings, name, ['gptq', 'gptq_v2']);
  requireOne(settings, 'is_marlin_format', [false]);
  requireOne(settings, 'pack_dtype', ['int32']);
  // A rotation is computed beside the weights, and an adapter added to them.
  for (const key of ['rotation', 'adapter']) if (settings.has(key)) throw refused(settings, key, [null]);
  return {
    method: 'gptq',
    bits: settings.count('bits', 4),
    groupSize: settings.any('group_size', 128),
    sorted: settings.flag('desc_act', false),
    minusOne: format === 'gptq',
  };
}

function awq(settings: Config): Quantization {
  for (const key of ['bits', 'w_bit']) requireOne(settings, key, [4]);
  if (settings.text('backend', 'auto') === 'llm-awq') throw refused(settings, 'backend', ['autoawq', 'auto']);
  for (const key of ['version', 'format'])
    if (settings.text(key, 'gemm').toLowerCase() !== 'gemm') throw refused(settings, key, ['gemm']);
  return {
    method: 'awq',
    groupSize: settings.any(settings.has('q_group_size') ? 'q_group_size' : 'group_size', 128),
  };
}

function bitsandbytes(settings: Config): Quantization {
  requireOne(settings, 'llm_int8_has_fp16_weight', [false]);
  const names = settings.texts('llm_int8_skip_modules') ?? [];
  return { method: 'bitsandbytes', keeps: (module) => names.some((name) => isNamed(module, name)) };
}

/**
 * True if a name in a list of modules that keep their floats means a module: as its beginning, which may be a regular
 * expression, or its end. transformers' `should_convert_module` (quantizers/quantizers_utils.py).
 */
function isNamed(module: string, name: string): boolean {
  if (module.startsWith(name) || module.endsWith(name)) return true;
  try {
    return new RegExp(`^(?:${name})`).test(module);
  } catch {
    return false;
  }
}

function requireOne(settings: Config, key: string, supported: readonly unknown[]): void {
  try {
    settings.require(key, ...supported);
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    throw refused(settings, key, supported);
  }
}

/** As `Config.unsupported`, but an export to ONNX has no such weights either. */
function refused(settings: Config, key: string, supported: readonly unknown[]): AuroraError {
  const { message } = settings.unsupported(key, supported);
  const list = supported.map((v) => JSON.stringify(v)).join(', ');
  return new AuroraError(
    'model',
    message,
    `${list === '' ? '' : `Supported: ${list}. `}Download the model as it was before it was quantized; "quantize": 4 in "model" then stores it in few bits.`,
  );
}

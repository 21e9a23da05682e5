import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import { readInput } from '../../files/inputs/open';

/** Timesteps of a sampler among those of training (table 2 of Lin et al., 2023). */
export const SPACINGS = ['leading', 'linspace', 'trailing'] as const;
export type Spacing = (typeof SPACINGS)[number];

/** Schedulers over β; others, such as those of flow matching, describe another process. */
const CLASSES = [
  'DDPMScheduler',
  'DDIMScheduler',
  'PNDMScheduler',
  'LMSDiscreteScheduler',
  'EulerDiscreteScheduler',
  'EulerAncestralDiscreteScheduler',
  'HeunDiscreteScheduler',
  'KDPM2DiscreteScheduler',
  'KDPM2AncestralDiscreteScheduler',
  'DPMSolverMultistepScheduler',
  'DPMSolverSinglestepScheduler',
  'DEISMultistepScheduler',
  'UniPCMultistepScheduler',
];

/**
 * The settings of a scheduler_config.json. A missing key, or null, counts as the default of the class that diffusers would
 * make from it: DDPMScheduler for training, and the sampler's own class for pictures.
 */
export class SchedulerConfig {
  constructor(
    private readonly values: Record<string, unknown>,
    /** The path of the file, for errors. */
    readonly path: string,
  ) {
    const name = this.values._class_name;
    if (name !== undefined) this.choice('_class_name', CLASSES, '');
  }

  /** The config with other values for some keys. */
  with(values: Record<string, unknown>): SchedulerConfig {
    return new SchedulerConfig({ ...this.values, ...values }, this.path);
  }

  number(key: string, missing: number): number {
    return this.checked(key, missing, 'a number', (v) => typeof v === 'number' && Number.isFinite(v));
  }

  /** @returns undefined if it is missing or null */
  positive(key: string): number | undefined {
    return this.checked<number | undefined>(
      key,
      undefined,
      'a positive number',
      (v) => v === undefined || (typeof v === 'number' && Number.isFinite(v) && v > 0),
    );
  }

  /** An integer from `least` to `most`. */
  integer(key: string, missing: number, least: number, most: number): number {
    const is = (v: unknown) => Number.isInteger(v) && (v as number) >= least && (v as number) <= most;
    return this.checked(key, missing, `an integer from ${least} to ${most}`, is);
  }

  flag(key: string, missing: boolean): boolean {
    return this.checked(key, missing, 'true or false', (v) => typeof v === 'boolean');
  }

  choice<T extends string>(key: string, choices: readonly T[], missing: T): T {
    const value = this.value(key) ?? missing;
    if (!choices.includes(value as T)) throw this.unsupported(key, choices);
    return value as T;
  }

  /** @returns undefined if it is missing or null */
  numbers(key: string): Float64Array | undefined {
    const is = (v: unknown) => v === undefined || (Array.isArray(v) && v.every(Number.isFinite));
    const list = this.checked<number[] | undefined>(key, undefined, 'a list of numbers', is);
    return list && Float64Array.from(list);
  }

  /** Refuses a value that would change the result in a way that is not implemented. */
  require(key: string, supported: unknown): void {
    if ((this.value(key) ?? supported) !== supported) throw this.unsupported(key, [supported]);
  }

  /** The error for a value of another kind. */
  invalid(key: string, what: string): AuroraError {
    return new AuroraError(
      'model',
      `${this.path}: ${key} is ${this.shown(key)}, not ${what}.`,
      'Download the scheduler of this pipeline again.',
    );
  }

  /** The error for a value that is not implemented. */
  unsupported(key: string, supported: readonly unknown[]): AuroraError {
    return new AuroraError(
      'model',
      `${this.path}: ${key} is ${this.shown(key)}, which is not supported.`,
      `Supported: ${supported.map((v) => JSON.stringify(v)).join(', ')}.`,
    );
  }

  private value(key: string): unknown {
    return own(this.values, key) ?? undefined;
  }

  private checked<T>(key: string, missing: T, what: string, is: (value: unknown) => boolean): T {
    const value = this.value(key) ?? missing;
    if (!is(value)) throw this.invalid(key, what);
    return value as T;
  }

  private shown(key: string): string {
    const text = JSON.stringify(this.value(key)) ?? 'missing';
    return text.length > 60 ? `${text.slice(0, 60)}…` : text;
  }
}

/** @throws AuroraError 'model' if it is missing, not a JSON object, or of a class that is not supported */
export function readSchedulerConfig(path: string): SchedulerConfig {
  const hint =
    'A pipeline needs the scheduler/scheduler_config.json that was published with it: download it again.';
  let values: unknown;
  try {
    values = JSON.parse(readInput(path, 'model-data').toString('utf8'));
  } catch (cause) {
    const why =
      cause instanceof SyntaxError ? 'is not valid JSON' : `cannot be read: ${(cause as Error).message}`;
    throw new AuroraError('model', `${path} ${why}.`, hint, { cause });
  }
  if (typeof values !== 'object' || values === null || Array.isArray(values))
    throw new AuroraError('model', `${path} is not a JSON object.`, hint);
  return new SchedulerConfig(values as Record<string, unknown>, path);
}

import { changeExperiment, reasonToKeep } from '../../../runs/experiment/setting-changes';
import { AuroraError } from '../../../base/errors';
import type { Experiment } from '../../../experiment/experiment';
import schema from '../../../experiment/experiment.schema.json';

/** A setting that a fork may change. */
export interface ForkChoice {
  /** Dotted, as for --set. */
  key: string;
  /** The value as written in the experiment file; undefined if not set. */
  value: string | undefined;
  description: string;
  /** The only allowed values, as written after "key=". */
  options?: string[];
}

interface Setting {
  description?: string;
  enum?: unknown[];
  type?: string | string[];
}

/** The setting that forks change most often. */
const FIRST = 'training.learningRate';

/** Training settings and dropout, with their current values: the learning rate, then in the schema's order. */
export const forkChoices = (spec: Experiment): ForkChoice[] =>
  allChoices(spec).sort((a, b) => Number(b.key === FIRST) - Number(a.key === FIRST));

function allChoices(spec: Experiment): ForkChoice[] {
  const training = schema.properties.training.properties as Record<string, Setting>;
  const choices = Object.entries(training)
    .filter(([key]) => reasonToKeep(`training.${key}`, spec) === undefined)
    .map(([key, setting]) => choice(`training.${key}`, valueOf(spec.training, key), setting));
  if (!('dropout' in spec.adapter)) return choices;
  const definitions = schema.definitions as Record<string, { properties?: Record<string, Setting> }>;
  const dropout = definitions[spec.adapter.method]?.properties?.dropout ?? {};
  return [...choices, choice('adapter.dropout', spec.adapter.dropout, dropout)];
}

const valueOf = (settings: object, key: string): unknown => (settings as Record<string, unknown>)[key];

function choice(key: string, value: unknown, setting: Setting): ForkChoice {
  const options = setting.enum ?? (setting.type === 'boolean' ? [true, false] : undefined);
  return {
    key,
    value: value === undefined ? undefined : plain(value),
    description: setting.description ?? '',
    options: options?.map(plain),
  };
}

/** A string without its quotation marks, anything else as JSON, so that --set reads back the same value. */
const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/**
 * The validation message for a new value, beside other changes; undefined if it is valid.
 *
 * @param others "key=value", of other settings
 */
export function valueProblem(
  spec: Experiment,
  key: string,
  value: string,
  others: readonly string[] = [],
): string | undefined {
  if (value.trim() === '') return `${key} needs a value.`;
  const override = `${key}=${value.trim()}`;
  try {
    changeExperiment(spec, [...others, override], 'spec.json');
    return undefined;
  } catch (e) {
    if (!(e instanceof AuroraError)) throw e;
    const lines = e.message.split('\n');
    return (lines.find((line) => line.includes(override)) ?? lines[0]!).replace(`--set ${override}: `, '');
  }
}

/** The checkpoint to start from: the last one at or before `step`; undefined if there is none. */
export const checkpointFor = (steps: readonly number[], step: number): number | undefined =>
  steps.findLast((s) => s <= step);

import { AuroraError } from '../base/errors';
import { prototypeProblem } from '../runs/experiment/overrides';
import type { ToolInput } from './tool';

const wrong = (key: string, what: string): AuroraError =>
  new AuroraError('usage', `"${key}" must be ${what}.`, "See the tool's input schema.");

export function text(input: ToolInput, key: string): string {
  const value = optionalText(input, key);
  if (value === undefined) throw wrong(key, 'given');
  return value;
}

export function optionalText(input: ToolInput, key: string): string | undefined {
  const value = input[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string') throw wrong(key, 'a string');
  return value;
}

/** One of some strings. */
export function optionalChoice<T extends string>(
  input: ToolInput,
  key: string,
  choices: readonly T[],
): T | undefined {
  const value = optionalText(input, key);
  if (value === undefined) return undefined;
  const known = choices.find((choice) => choice === value);
  if (known === undefined) throw wrong(key, `one of ${choices.join(', ')}, not "${value}"`);
  return known;
}

/** A number of at least 0. */
export function optionalAmount(input: ToolInput, key: string): number | undefined {
  const value = input[key];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number' || !(value >= 0 && value < Infinity))
    throw wrong(key, 'a number of at least 0');
  return value;
}

/** A whole number of at least `least`. */
export function optionalCount(input: ToolInput, key: string, least = 1): number | undefined {
  const value = input[key];
  if (value === undefined || value === null) return undefined;
  if (!Number.isSafeInteger(value) || (value as number) < least)
    throw wrong(key, `a whole number of at least ${least}`);
  return value as number;
}

export function optionalTexts(input: ToolInput, key: string): string[] | undefined {
  const value = input[key];
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((v) => typeof v === 'string'))
    throw wrong(key, 'an array of strings');
  return value;
}

/** Settings that a run may change without its file: none that names a file. */
const CHANGEABLE = /^(adapter|training)(\.[A-Za-z]\w*)+$/;

/** `settings`, by dotted key, as the command line takes them: "training.learningRate=0.001". */
export function changedSettings(input: ToolInput): string[] {
  const value = input.settings ?? {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw wrong('settings', 'an object of settings by dotted key, such as { "training.epochs": 1 }');
  return Object.entries(value as object).map(([key, v]) => {
    const wrong = prototypeProblem(key.split('.'));
    if (wrong !== undefined)
      throw new AuroraError('usage', `${wrong}.`, 'Check the spelling of the setting.');
    if (!CHANGEABLE.test(key))
      throw new AuroraError(
        'usage',
        `The setting ${key} cannot be changed for one run.`,
        'Change only adapter.* and training.*; edit the experiment file for anything else.',
      );
    return `${key}=${JSON.stringify(v)}`;
  });
}

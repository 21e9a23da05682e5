import { basename } from 'node:path';
import { jsonText } from '../../base/json-text';
import { AuroraError } from '../../base/errors';
import { own } from '../../base/names';
import { Refusals } from '../../base/refusals';
import { readInput } from '../../files/inputs/open';
import { requireRegular } from './regular-file';

/** Above any real size, and safe to multiply. */
const MOST = 2 ** 31;
const MOST_LAYERS = 10_000;
/** A config.json has a few thousand bytes, with lists of a thousand labels a few ten thousand. */
const MOST_BYTES = 16_000_000;

/**
 * The settings in a config.json. A missing key, or null, has the default that transformers gives it. A value that
 * cannot be used is an AuroraError 'model' that names the key.
 */
export class Config {
  constructor(
    private readonly values: Record<string, unknown>,
    /** The path of the file, for errors. */
    readonly path: string,
    /** Before a key's name: `rope_scaling.`. */
    private readonly prefix = '',
    /** The collector of the errors of `require`, which otherwise throws them. */
    private readonly refusals?: Refusals,
  ) {}

  /**
   * The result of `read` for the settings.
   *
   * @throws AuroraError with all that `read` refuses, not only the first
   */
  whole<T>(read: (config: Config) => T): T {
    const refusals = new Refusals();
    let result: T;
    try {
      result = read(new Config(this.values, this.path, this.prefix, refusals));
    } catch (e) {
      // Later failures may follow from an earlier refusal.
      refusals.throwAll();
      throw e;
    }
    refusals.throwAll();
    return result;
  }

  /**
   * The config in which a setting under another name counts as the family's own: `hidden_size` as `dim`. transformers
   * takes both (attribute_map), and prefers the other name if both are there.
   */
  renamed(names: Readonly<Record<string, string>>): Config {
    const values = { ...this.values };
    for (const [other, name] of Object.entries(names)) if (this.has(other)) values[name] = this.value(other);
    return new Config(values, this.path, this.prefix, this.refusals);
  }

  has(key: string): boolean {
    return this.value(key) !== undefined;
  }

  /** True if a key is there and has no value, which for some means "none" rather than the default. */
  isNull(key: string): boolean {
    return own(this.values, key) === null;
  }

  /** A positive integer. */
  count(key: string, missing?: number): number {
    return this.checked(key, missing, 'a positive integer', (v): v is number => isCount(v) && v > 0);
  }

  /** A positive integer; undefined if it is missing, or 0 or less, which some families take for "none". */
  atLeastOne(key: string): number | undefined {
    const value = this.value(key);
    return value === undefined || (Number.isInteger(value) && (value as number) < 1)
      ? undefined
      : this.count(key);
  }

  /** The number of layers. Settings of each are held in memory before any weight is looked at. */
  layers(key: string, missing?: number): number {
    const count = this.count(key, missing);
    if (count <= MOST_LAYERS) return count;
    throw new AuroraError(
      'model',
      `${this.path}: ${this.prefix}${key} is ${count}, more layers than any model has.`,
      `Download the ${basename(this.path)} of this model again.`,
    );
  }

  /** An integer from 0. */
  index(key: string, missing?: number): number {
    return this.checked(key, missing, 'an integer from 0', isCount);
  }

  /** A positive number. */
  number(key: string, missing?: number): number {
    const isPositive = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v) && v > 0;
    return this.checked(key, missing, 'a positive number', isPositive);
  }

  /** A number from 0. */
  fromZero(key: string, missing?: number): number {
    const is = (v: unknown): v is number => typeof v === 'number' && Number.isFinite(v) && v >= 0;
    return this.checked(key, missing, 'a number from 0', is);
  }

  /** Any number. */
  any(key: string, missing: number): number {
    return this.checked(key, missing, 'a number', (v): v is number => Number.isFinite(v));
  }

  /** A number above 0 and at most 1. */
  share(key: string, missing?: number): number {
    const is = (v: unknown): v is number => typeof v === 'number' && v > 0 && v <= 1;
    return this.checked(key, missing, 'a number above 0 and at most 1', is);
  }

  /** A list of so many positive numbers. */
  numbers(key: string, count: number): number[] {
    const is = (v: unknown): v is number[] =>
      Array.isArray(v) && v.length === count && v.every((n) => Number.isFinite(n) && (n as number) > 0);
    return this.checked(key, undefined, `a list of ${count} positive numbers`, is);
  }

  /** A list of positive integers. */
  counts(key: string, missing: number[]): number[] {
    const is = (v: unknown): v is number[] =>
      Array.isArray(v) && v.length > 0 && v.every((n) => isCount(n) && n > 0);
    return this.checked(key, missing, 'a list of positive integers', is);
  }

  /** A list of integers from 0; empty if it is missing. */
  indices(key: string): number[] {
    const is = (v: unknown): v is number[] => Array.isArray(v) && v.every(isCount);
    return this.checked(key, [], 'a list of integers from 0', is);
  }

  /** The number of layers in each of `length` parts: one number for all, or a list. */
  layersEach(key: string, length: number, missing: number): number[] {
    return this.each(key, length, missing, LAYERS, isLayers);
  }

  /** The number of layers in each of `length` parts, which may have parts with a number of layers each. */
  layerListsEach(key: string, length: number, missing: number): (number | number[])[] {
    const is = (v: unknown): v is number | number[] =>
      isLayers(v) || (Array.isArray(v) && v.length <= MOST_LAYERS && v.every(isLayers));
    return this.each(key, length, missing, `${LAYERS} or a list of them`, is);
  }

  /** A positive integer for all of `length` parts, or a list with one for each. */
  countEach(key: string, length: number, missing?: number): number[] {
    return this.each(key, length, missing, 'a positive integer', (v): v is number => isCount(v) && v > 0);
  }

  /** True or false for all of `length` parts, or a list with one for each. */
  flagEach(key: string, length: number, missing: boolean): boolean[] {
    return this.each(key, length, missing, 'true or false', (v): v is boolean => typeof v === 'boolean');
  }

  flag(key: string, missing: boolean): boolean {
    return this.checked(key, missing, 'true or false', (v): v is boolean => typeof v === 'boolean');
  }

  /** True only for the value true: other values count as false, and are not refused. */
  isTrue(key: string): boolean {
    return this.value(key) === true;
  }

  text(key: string, missing?: string): string {
    return this.checked(key, missing, 'a string', (v): v is string => typeof v === 'string');
  }

  isText(key: string): boolean {
    return typeof this.value(key) === 'string';
  }

  /**
   * Texts in pieces that follow themselves so often, [[["global", "local"], 12]], as one list; undefined if they are
   * missing.
   */
  repeated(key: string): string[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    const isPiece = (v: unknown): v is [string[], number] =>
      Array.isArray(v) && v.length === 2 && isTexts(v[0]) && isCount(v[1]);
    const isShort = (pieces: [string[], number][]) =>
      pieces.reduce((sum, [texts, count]) => sum + texts.length * count, 0) <= MOST_LAYERS;
    if (!Array.isArray(value) || !value.every(isPiece) || !isShort(value))
      throw this.invalid(key, 'a list of pieces, [[["global", "local"], 12]]');
    return value.flatMap(([texts, count]) => new Array<string[]>(count).fill(texts).flat());
  }

  /** A list of texts; undefined if it is missing. */
  texts(key: string): string[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!isTexts(value)) throw this.invalid(key, 'an array of strings');
    return value;
  }

  /** True for a list of two strings: a component of a pipeline, by library and class. */
  isPair(key: string): boolean {
    const value = this.value(key);
    return Array.isArray(value) && value.length === 2 && value.every((v) => typeof v === 'string');
  }

  /** At least so many flags, each 0 or 1; undefined if they are missing. */
  flags(key: string, count: number): boolean[] | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || value.length < count || !value.every((v) => v === 0 || v === 1))
      throw this.invalid(key, `a list of ${count} times 0 or 1`);
    return value.map((v) => v === 1);
  }

  /** Texts under the keys 0, 1, 2 …; undefined if they are not that. */
  names(key: string): string[] | undefined {
    const table = this.value(key);
    if (!isObject(table)) return undefined;
    const all = Object.keys(table).map((_, i) => own(table, String(i)));
    return all.every((name) => typeof name === 'string') ? all : undefined;
  }

  /** True if the folder holds a model for a task: of a class whose name has this ending, such as ForCausalLM. */
  isFor(task: string): boolean {
    const names = this.value('architectures');
    return Array.isArray(names) && names.some((name) => typeof name === 'string' && name.endsWith(task));
  }

  /** Height and width: one number for both, or two. */
  size(key: string, missing: number): [height: number, width: number] {
    const value = this.value(key) ?? missing;
    const both = Array.isArray(value) ? value : [value, value];
    if (both.length !== 2 || !both.every((v) => isCount(v) && v > 0))
      throw this.invalid(key, 'a positive integer or two of them');
    return both as [number, number];
  }

  /** Settings within a key; undefined if it is missing. */
  section(key: string): Config | undefined {
    const value = this.value(key);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw this.invalid(key, 'an object');
    return new Config(value, this.path, `${this.prefix}${key}.`, this.refusals);
  }

  /** Settings as if they were within a key. */
  made(key: string, values: Record<string, unknown>): Config {
    return new Config(values, this.path, `${this.prefix}${key}.`, this.refusals);
  }

  /** The section, also undefined if it has no settings. */
  filled(key: string): Config | undefined {
    const found = this.section(key);
    return found && Object.keys(found.values).length > 0 ? found : undefined;
  }

  /**
   * Refuses a value that would change the result in a way that is not implemented.
   *
   * @param supported its values that have no effect, or the only one that is implemented; missing counts as the first
   */
  require(key: string, ...supported: unknown[]): void {
    const value = this.value(key);
    const same = (a: unknown) => jsonText(a) === jsonText(value);
    if (value === undefined || supported.some(same)) return;
    const error = this.unsupported(key, supported);
    if (!this.refusals) throw error;
  }

  /** The error for a value that is not implemented, to be thrown. */
  unsupported(key: string, supported: readonly unknown[]): AuroraError {
    const names = supported.map((v) => JSON.stringify(v)).join(', ');
    const error = new AuroraError(
      'model',
      `${this.path}: ${this.prefix}${key} is ${this.shown(key)}, which is not supported.`,
      `Supported: ${names}. Export the model to ONNX with Optimum, and use that file instead of the folder.`,
    );
    this.refusals?.add(error);
    return error;
  }

  private value(key: string): unknown {
    return own(this.values, key) ?? undefined;
  }

  private checked<T>(key: string, missing: T | undefined, what: string, is: (v: unknown) => v is T): T {
    const value = this.value(key) ?? missing;
    if (value === undefined)
      throw new AuroraError(
        'model',
        `${this.path} has no ${this.prefix}${key}.`,
        `Download the ${basename(this.path)} of this model again.`,
      );
    if (!is(value)) throw this.invalid(key, what);
    return value;
  }

  private each<T>(
    key: string,
    length: number,
    missing: T | undefined,
    what: string,
    is: (v: unknown) => v is T,
  ): T[] {
    const whole = `${what}, or a list of ${length} such values`;
    const isAll = (v: unknown): v is T | T[] =>
      Array.isArray(v) ? v.length === length && v.every(is) : is(v);
    const value = this.checked<T | T[]>(key, missing, whole, isAll);
    return Array.isArray(value) ? (value as T[]) : new Array<T>(length).fill(value);
  }

  private invalid(key: string, what: string): AuroraError {
    return new AuroraError(
      'model',
      `${this.path}: ${this.prefix}${key} is ${this.shown(key)}, not ${what}.`,
      `Download the ${basename(this.path)} of this model again.`,
    );
  }

  private shown(key: string): string {
    const text = jsonText(own(this.values, key));
    return text.length > 60 ? `${text.slice(0, 60)}…` : text;
  }
}

const isCount = (v: unknown): v is number =>
  Number.isInteger(v) && (v as number) >= 0 && (v as number) < MOST;

const isTexts = (v: unknown): v is string[] =>
  Array.isArray(v) && v.every((text) => typeof text === 'string');

const LAYERS = `a positive integer up to ${MOST_LAYERS}`;

const isLayers = (v: unknown): v is number => isCount(v) && v > 0 && v <= MOST_LAYERS;

const isObject = (v: unknown): v is Record<string, unknown> =>
  typeof v === 'object' && v !== null && !Array.isArray(v);

/** @throws AuroraError 'model' if it is missing or not a JSON object */
export function readConfig(path: string): Config {
  const fail = (why: string, cause: unknown) =>
    new AuroraError(
      'model',
      `${path} ${why}.`,
      `A model folder needs the ${basename(path)} that Hugging Face publishes with the model: download it again.`,
      { cause },
    );
  let text: string;
  try {
    requireRegular(path, MOST_BYTES);
    text = readInput(path, 'model-data').toString('utf8');
  } catch (e) {
    if (e instanceof AuroraError) throw e;
    throw fail(`cannot be read (${(e as NodeJS.ErrnoException).code ?? String(e)})`, e);
  }
  try {
    const values: unknown = JSON.parse(text);
    if (isObject(values)) return new Config(values, path);
  } catch (e) {
    throw fail('is not valid JSON', e);
  }
  throw fail('is not a JSON object', undefined);
}

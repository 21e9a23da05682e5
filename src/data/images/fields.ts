import { AuroraError } from '../../base/errors';
import type { Size } from './image';
import type { Channels, ResizeTo } from './plan';
import { RESAMPLES, type Resample } from './resample';

export type Json = Record<string, unknown>;

/** Larger images than any model reads; a mistyped size must not fill the memory. */
const MAX_SIDE = 8192;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isSide = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) > 0 && (value as number) <= MAX_SIDE;
const isNumber = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);

/**
 * The fields of a preprocessor_config.json. A missing one, or null, has the default that is given. All throw an
 * AuroraError 'model' for a value of another type or range.
 */
export class Fields {
  private readonly json: Json;
  constructor(
    config: unknown,
    private readonly path: string,
  ) {
    if (!isObject(config))
      throw new AuroraError('model', `${path} is not a JSON object.`, 'Copy it from the model’s source.');
    this.json = config;
  }

  has(field: string): boolean {
    return this.get(field) !== undefined;
  }

  text(field: string): string | undefined {
    return this.checked(field, undefined, 'a text', (v) => typeof v === 'string');
  }

  flag(field: string, otherwise: boolean): boolean {
    return this.checked(field, otherwise, 'true or false', (v) => typeof v === 'boolean');
  }

  positive(field: string, otherwise: number): number {
    return this.checked(field, otherwise, 'a number above 0', (v) => isNumber(v) && v > 0);
  }

  /** A number of PIL.Image.Resampling. */
  resample(field: string, otherwise: Resample): Resample {
    const number = this.checked(
      field,
      RESAMPLES.indexOf(otherwise),
      `a number from 0 to ${RESAMPLES.length - 1} (${RESAMPLES.join(', ')})`,
      (v) => [...RESAMPLES.keys()].includes(v as number),
    );
    return RESAMPLES[number];
  }

  /** A number for all channels, or one for each. */
  channels(field: string, otherwise: Channels): Channels {
    const value = this.get(field) ?? otherwise;
    const list = isNumber(value) ? [value, value, value] : value;
    if (!Array.isArray(list) || list.length !== 3 || !list.every(isNumber))
      throw this.wrong(field, 'a number, or three: for red, green and blue');
    return list as unknown as Channels;
  }

  deviations(field: string, otherwise: Channels): Channels {
    const values = this.channels(field, otherwise);
    if (!values.every((v) => v > 0)) throw this.wrong(field, 'above 0');
    return values;
  }

  /** A number for both sides, a list, or an object. */
  sides(field: string, otherwise: Size): Size {
    const value = this.get(field);
    if (value === undefined) return otherwise;
    const sides = sidesOf(value);
    if (!sides) throw this.wrong(field, `a number from 1 to ${MAX_SIDE} or {"height": …, "width": …}`);
    return sides;
  }

  /** @param shortest true if a single number is the shortest edge, and not both sides */
  size(field: string, otherwise: ResizeTo, shortest: boolean): ResizeTo {
    const value = this.get(field);
    if (value === undefined) return otherwise;
    const edge = isObject(value) ? value.shortest_edge : shortest ? value : undefined;
    const longest = isObject(value) ? (value.longest_edge ?? undefined) : undefined;
    if (isSide(edge) && longest === undefined) return { shortestEdge: edge };
    if (isSide(edge) && isSide(longest) && longest > edge)
      return { shortestEdge: edge, longestEdge: longest };
    const sides = sidesOf(value);
    if (!sides)
      throw this.wrong(
        field,
        `a number from 1 to ${MAX_SIDE}, {"height": …, "width": …}, or {"shortest_edge": …} with at most a larger "longest_edge"`,
      );
    return sides;
  }

  wrong(field: string, what: string): AuroraError {
    return new AuroraError(
      'model',
      `${this.path}: "${field}" is ${shown(this.json[field])}; it must be ${what}.`,
      'Correct it, or restore the file from the model’s source.',
    );
  }

  private get(field: string): unknown {
    return Object.hasOwn(this.json, field) ? (this.json[field] ?? undefined) : undefined;
  }

  private checked<T>(field: string, otherwise: T, what: string, isRight: (value: unknown) => boolean): T {
    const value = this.get(field);
    if (value === undefined) return otherwise;
    if (!isRight(value)) throw this.wrong(field, what);
    return value as T;
  }
}

function sidesOf(value: unknown): Size | undefined {
  if (isSide(value)) return { width: value, height: value };
  const [height, width] = Array.isArray(value)
    ? (value as unknown[])
    : isObject(value)
      ? [value.height, value.width]
      : [];
  return isSide(height) && isSide(width) ? { width, height } : undefined;
}

/** Maximum length of a quoted value. */
const SHOWN = 60;
function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}

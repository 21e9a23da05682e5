import { AuroraError } from '../base/errors';
import { ANSWER_SHAPES, INPUT_SHAPES, type TaskShapes } from '../experiment/tasks/kind';

/**
 * The lines of `aurora play --json`: requests on its standard input, answers on its standard output, one JSON object
 * each. Kinds that are not known are passed over on both sides.
 */
export type PlayRequest =
  | { kind: 'load'; subject: string; source: PlaySource; base?: boolean }
  | { kind: 'unload'; subject: string }
  /** Of all subjects; a newer question ends an older one. Either a text or an image. */
  | { kind: 'predict'; request: number; text?: string; image?: PlayImage }
  | { kind: 'generate'; request: number; text: string; settings: GenerationSettings }
  /** A validation row of a run. */
  | { kind: 'sample'; request: number; subject: string }
  | { kind: 'stop'; request: number };

/** Where what answers comes from. */
export type PlaySource =
  | { kind: 'run'; run: string; at: 'best' | 'last' | number }
  /** An ONNX file, with tokenizer.json beside it unless it is named; `adapter` is a folder in PEFT's layout. */
  | { kind: 'model'; model: string; tokenizer?: string; adapter?: string };

/** What a model, with its adapter, is called: files are mostly model.onnx, so that their folder says more. */
export function modelName(model: string, adapter?: string): string {
  const last = (path: string, parts: number) => path.split(/[\\/]/).filter(Boolean).slice(-parts).join('/');
  const name = last(model, /(^|[\\/])model(_\w+)?\.onnx$/.test(model) ? 2 : 1);
  return adapter === undefined ? name : `${name} + ${last(adapter, 1)}`;
}

/** What was loaded, and beside it the same model without its adapter. */
export const PLAY_VARIANTS = ['adapted', 'base'] as const;
export type PlayVariant = (typeof PLAY_VARIANTS)[number];

export interface PlayImage {
  width: number;
  height: number;
  /** Base64: red, green, blue and alpha of each pixel, row by row from the top. */
  rgba: string;
}

export interface GenerationSettings {
  /** Tokens to make at most. */
  maxTokens: number;
  /** 0: always the likeliest token. */
  temperature: number;
  /** Only the so many likeliest; 0 for all. */
  topK: number;
  /** Only the likeliest that have this share together; 1 for all. */
  topP: number;
  seed: number;
}

export const GENERATION_DEFAULTS: GenerationSettings = {
  maxTokens: 64,
  temperature: 0,
  topK: 0,
  topP: 1,
  seed: 0,
};

export type PlayLine =
  | { kind: 'loading'; subject: string }
  | ({ kind: 'loaded'; subject: string } & PlayFacts)
  | ({ kind: 'prediction'; request: number; subject: string; variant: PlayVariant } & Prediction)
  /** More of a text. */
  | { kind: 'token'; request: number; subject: string; variant: PlayVariant; text: string }
  | ({ kind: 'generated'; request: number; subject: string; variant: PlayVariant } & Generated)
  | ({ kind: 'sample'; request: number; subject: string } & PlaySample)
  /** Nothing more of it follows: all was said, or it was stopped, or a newer question came. */
  | { kind: 'answered'; request: number }
  | { kind: 'problem'; request?: number; subject?: string; message: string; hint?: string };

export interface PlayFacts extends TaskShapes {
  name: string;
  /** Of a classifier, in the order of its probabilities. */
  labels: string[];
  /** The checkpoint of a run, and the form of its adapters. */
  step?: number;
  form?: 'dynamic' | 'static';
  /** What `base` is, where it is something else: the model as it was, or with the head that was trained with the adapter. */
  base?: 'model' | 'model-with-head';
  /** Whether there are validation rows to try. */
  samples: boolean;
  /** How an image has to be cut out of a picture. */
  image?: ImageShape;
  /** What had to be assumed, in whole sentences. */
  assumed: string[];
}

/** What a model reads of a picture: all of it, squeezed, or the middle of it where that is scaled by its shorter side. */
export interface ImageShape {
  width: number;
  height: number;
  /** The shorter side of the scaled picture; left out where all of it is squeezed into width and height. */
  shortestEdge?: number;
}

export interface Prediction {
  probabilities: number[];
  /** That the model ran, and nothing else. */
  seconds: number;
  /** What the model read of a text. */
  tokens?: number;
  truncated?: boolean;
}

export interface Generated {
  /** All of it, without the prompt. */
  text: string;
  tokens: number;
  promptTokens: number;
  secondsToFirst: number;
  /** Over all of them, by the time that the model ran. */
  tokensPerSecond: number;
  /** The model's own end, the limit asked for, its longest text, or somebody. */
  ended: 'end' | 'length' | 'full' | 'stopped';
}

export interface PlaySample {
  text: string;
  label: string;
  /** The data file's name, and the row's line in it. */
  file: string;
  line: number;
}

type Check = (value: unknown) => boolean;
type Fields = Record<string, Check>;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const text: Check = (value) => typeof value === 'string';
const flag: Check = (value) => typeof value === 'boolean';
const count: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
const number: Check = (value) => Number.isFinite(value) && (value as number) >= 0;
const oneOf = (...known: unknown[]): Check => known.includes.bind(known);
const either =
  (...checks: Check[]): Check =>
  (value) =>
    checks.some((check) => check(value));
const maybe = (check: Check): Check => either(oneOf(undefined), check);
const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const object =
  (fields: Fields): Check =>
  (value) =>
    isObject(value) && Object.entries(fields).every(([key, check]) => check(value[key]));

const image = object({ width: count, height: count, rgba: text });
const settings = object({
  maxTokens: count,
  temperature: number,
  topK: count,
  topP: (value) => number(value) && (value as number) > 0 && (value as number) <= 1,
  seed: count,
});
const source = either(
  object({ kind: oneOf('run'), run: text, at: either(oneOf('best', 'last'), count) }),
  object({ kind: oneOf('model'), model: text, tokenizer: maybe(text), adapter: maybe(text) }),
);

export const isPlayImage = (value: unknown): value is PlayImage => image(value);
export const isGenerationSettings = (value: unknown): value is GenerationSettings => settings(value);

const REQUESTS: Record<PlayRequest['kind'], Fields> = {
  load: { subject: text, source, base: maybe(flag) },
  unload: { subject: text },
  predict: { request: count, text: maybe(text), image: maybe(image) },
  generate: { request: count, text, settings },
  sample: { request: count, subject: text },
  stop: { request: count },
};

const answer: Fields = { request: count, subject: text, variant: oneOf(...PLAY_VARIANTS) };
const LINES: Record<PlayLine['kind'], Fields> = {
  loading: { subject: text },
  loaded: {
    subject: text,
    input: oneOf(...INPUT_SHAPES),
    answer: oneOf(...ANSWER_SHAPES),
    name: text,
    labels: listOf(text),
    step: maybe(count),
    form: oneOf(undefined, 'dynamic', 'static'),
    base: oneOf(undefined, 'model', 'model-with-head'),
    samples: flag,
    image: maybe(object({ width: count, height: count, shortestEdge: maybe(count) })),
    assumed: listOf(text),
  },
  prediction: {
    ...answer,
    probabilities: listOf(number),
    seconds: number,
    tokens: maybe(count),
    truncated: maybe(flag),
  },
  token: { ...answer, text },
  generated: {
    ...answer,
    text,
    tokens: count,
    promptTokens: count,
    secondsToFirst: number,
    tokensPerSecond: number,
    ended: oneOf('end', 'length', 'full', 'stopped'),
  },
  sample: { request: count, subject: text, text, label: text, file: text, line: count },
  answered: { request: count },
  problem: { request: maybe(count), subject: maybe(text), message: text, hint: maybe(text) },
};

/**
 * A line of the standard input; undefined for a kind that is not known.
 *
 * @throws AuroraError 'usage' where it is no JSON object, or lacks what its kind needs
 */
export function parsePlayRequest(line: string): PlayRequest | undefined {
  const value = parse(line);
  if (!isObject(value)) throw broken(`The line ${shown(line)} is no JSON object.`);
  if (!isKindOf(REQUESTS, value.kind)) return undefined;
  const wrong = firstWrong(REQUESTS[value.kind as PlayRequest['kind']], value);
  if (wrong !== undefined) throw broken(`The request ${shown(line)} has no usable "${wrong}".`);
  if (value.kind === 'predict' && (value.text === undefined) === (value.image === undefined))
    throw broken(`The request ${shown(line)} takes either a text or an image.`);
  return value as PlayRequest;
}

/** A line of the standard output; undefined for what is none, or of a kind that is not known. */
export function parsePlayLine(line: string): PlayLine | undefined {
  const value = parse(line);
  if (!isObject(value) || !isKindOf(LINES, value.kind)) return undefined;
  return firstWrong(LINES[value.kind as PlayLine['kind']], value) === undefined
    ? (value as PlayLine)
    : undefined;
}

const isKindOf = (known: object, kind: unknown): boolean =>
  typeof kind === 'string' && Object.hasOwn(known, kind);

const firstWrong = (fields: Fields, value: Record<string, unknown>): string | undefined =>
  Object.keys(fields).find((key) => !fields[key](value[key]));

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

/** An image's pixels are nobody's to read. */
const SHOWN = 80;
const shown = (line: string): string =>
  JSON.stringify(line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line);

const broken = (message: string): AuroraError =>
  new AuroraError('usage', message, 'See `aurora play --help` for the requests.');

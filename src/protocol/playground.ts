import { AuroraError } from '../base/errors';
import type { PatchBudget } from '../base/patch-budget';
import { ANSWER_SHAPES, INPUT_SHAPES, type TaskShapes } from '../experiment/tasks/kind';
import { answerFields, type Answer } from './answers/kinds';
import { SPAN_FIELDS, type TextSpan } from './answers/spans';
import {
  count,
  finite,
  flag,
  isPlainObject,
  listOf,
  maybe,
  number,
  object,
  oneOf,
  text,
  type Fields,
} from './checks';
import {
  DRAWING_FIELDS,
  drawingCheck,
  generationCheck,
  imageCheck,
  PLAY_VARIANTS,
  sourceCheck,
  weightsCheck,
  type DrawingSettings,
  type GenerationSettings,
  type PlayImage,
  type PlaySource,
  type PlayVariant,
} from './play-question';

/**
 * The lines of `aurora play --json`: requests on its standard input, answers on its standard output, one JSON object
 * each. Both sides ignore unknown kinds.
 */
export type PlayRequest =
  | { kind: 'load'; subject: string; source: PlaySource; base?: boolean }
  | { kind: 'unload'; subject: string }
  /** The weights of a subject's adapters from now on, in the order of its facts. */
  | { kind: 'weigh'; subject: string; weights: number[] }
  /**
   * A question to all subjects; a newer one ends an older one. A text, a pair of texts, a question with choices, or an
   * image.
   */
  | {
      kind: 'predict';
      request: number;
      text?: string;
      pair?: string;
      choices?: readonly string[];
      image?: PlayImage;
    }
  /** A prompt; `asTyped` without the template of the data. */
  | { kind: 'generate'; request: number; text: string; asTyped?: boolean; settings: GenerationSettings }
  /** A prompt and a negative prompt, for models that answer with a picture. */
  | { kind: 'draw'; request: number; text: string; negative?: string; settings: DrawingSettings }
  /** Requests a validation row of a run. */
  | { kind: 'sample'; request: number; subject: string }
  | { kind: 'stop'; request: number };

export type PlayLine =
  | { kind: 'loading'; subject: string }
  | ({ kind: 'loaded'; subject: string } & PlayFacts)
  | ({ kind: 'prediction'; request: number; subject: string; variant: PlayVariant } & Prediction)
  /** More of a generated text. */
  | { kind: 'token'; request: number; subject: string; variant: PlayVariant; text: string }
  | ({ kind: 'generated'; request: number; subject: string; variant: PlayVariant } & Generated)
  /** Steps of a picture that are done. */
  | { kind: 'drawing'; request: number; subject: string; variant: PlayVariant; step: number; of: number }
  | ({ kind: 'picture'; request: number; subject: string; variant: PlayVariant } & PlayPicture)
  | ({ kind: 'sample'; request: number; subject: string } & PlaySample)
  /** The answer is complete: everything was sent, it was stopped, or a newer question arrived. */
  | { kind: 'answered'; request: number }
  | { kind: 'problem'; request?: number; subject?: string; message: string; hint?: string };

export interface PlayFacts extends TaskShapes {
  name: string;
  /** For one label per input, in the order of its probabilities. */
  labels: string[];
  /** A run's checkpoint, and the form of its adapters. */
  step?: number;
  form?: 'dynamic' | 'static';
  /** The form of `base`, if something else: the original model, or that with the head trained with the adapter. */
  base?: 'model' | 'model-with-head';
  /** True if there are validation rows to try. */
  samples: boolean;
  /** The spelling of a hidden token in a text, for a model that predicts those. */
  mask?: string;
  /** data.promptTemplate, into which prompts are put as in training. */
  template?: string;
  /** The crop of an image from a picture. */
  image?: ImageShape;
  /** The adapters that answer together and their weights when it was loaded, if not its own alone with a weight of 1. */
  adapters?: { name: string; weight: number }[];
  /** The drawing settings that a request can override: the size is that of training. */
  drawing?: Omit<DrawingSettings, 'seed'>;
  /** Assumptions, as full sentences. */
  assumed: string[];
}

/**
 * The part of a picture that a model reads: all of it, resized without keeping its aspect ratio, or the center after
 * scaling the shorter side.
 */
export interface ImageShape {
  width: number;
  height: number;
  /** The shorter side of the scaled picture; omitted if all of it is resized to width and height. */
  shortestEdge?: number;
  /** For a model that reads patches: width and height follow from the picture's own. */
  patches?: PatchBudget;
}

export type Prediction = Answer & {
  /** Inference time only. */
  seconds: number;
  /** The part of a text that the model read. */
  tokens?: number;
  truncated?: boolean;
};

export interface Generated {
  /** The complete text, without the prompt. */
  text: string;
  tokens: number;
  promptTokens: number;
  secondsToFirst: number;
  /** Over all tokens, by inference time. */
  tokensPerSecond: number;
  /** The end-of-text token, the requested limit, the model's maximum length, or the user. */
  ended: 'end' | 'length' | 'full' | 'stopped';
}

export interface PlayPicture {
  width: number;
  height: number;
  /** The file, in base64. */
  png: string;
  /** The time of all its steps and the decoding. */
  seconds: number;
}

export interface PlaySample {
  /** For an image: its name. */
  text: string;
  /** The image as the model reads it. */
  image?: PlayImage;
  pair?: string;
  /** The choices of a question. */
  choices?: readonly string[];
  /**
   * The label as in the data file; for a question with choices, the right one; for a text with a mask, the hidden word.
   */
  label: string;
  /** The true labels, if the answer is labels; `label` is all of them. */
  labels?: string[];
  /** The true spans, if the answer is spans. */
  spans?: TextSpan[];
  /** The data file's name, and the row's line in it. */
  file: string;
  line: number;
}

const REQUESTS: Record<PlayRequest['kind'], Fields> = {
  load: { subject: text, source: sourceCheck, base: maybe(flag) },
  unload: { subject: text },
  weigh: { subject: text, weights: weightsCheck },
  predict: {
    request: count,
    text: maybe(text),
    pair: maybe(text),
    choices: maybe(listOf(text)),
    image: maybe(imageCheck),
  },
  generate: { request: count, text, asTyped: maybe(flag), settings: generationCheck },
  draw: { request: count, text, negative: maybe(text), settings: drawingCheck },
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
    mask: maybe(text),
    template: maybe(text),
    image: maybe(
      object({
        width: count,
        height: count,
        shortestEdge: maybe(count),
        patches: maybe(object({ side: count, most: count })),
      }),
    ),
    adapters: maybe(listOf(object({ name: text, weight: finite }))),
    drawing: maybe(object(DRAWING_FIELDS)),
    assumed: listOf(text),
  },
  prediction: {
    ...answer,
    ...answerFields(),
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
  drawing: { ...answer, step: count, of: count },
  picture: { ...answer, width: count, height: count, png: text, seconds: number },
  sample: {
    request: count,
    subject: text,
    text,
    image: maybe(imageCheck),
    pair: maybe(text),
    choices: maybe(listOf(text)),
    label: text,
    labels: maybe(listOf(text)),
    spans: maybe(listOf(object(SPAN_FIELDS))),
    file: text,
    line: count,
  },
  answered: { request: count },
  problem: { request: maybe(count), subject: maybe(text), message: text, hint: maybe(text) },
};

/**
 * Parses a line of standard input; undefined for an unknown kind.
 *
 * @throws AuroraError 'usage' if it is not a JSON object, or lacks a field that its kind requires
 */
export function parsePlayRequest(line: string): PlayRequest | undefined {
  const value = parse(line);
  if (!isPlainObject(value)) throw broken(`The line ${shown(line)} is not a JSON object.`);
  if (!isKindOf(REQUESTS, value.kind)) return undefined;
  const wrong = firstWrong(REQUESTS[value.kind as PlayRequest['kind']], value);
  if (wrong !== undefined) throw broken(`The request ${shown(line)} has a missing or invalid "${wrong}".`);
  if (value.kind === 'predict' && (value.text === undefined) === (value.image === undefined))
    throw broken(`The request ${shown(line)} takes either a text or an image.`);
  return value as PlayRequest;
}

/** Parses a line of standard output; undefined if it is invalid or of an unknown kind. */
export function parsePlayLine(line: string): PlayLine | undefined {
  const value = parse(line);
  if (!isPlainObject(value) || !isKindOf(LINES, value.kind)) return undefined;
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

/** Maximum length of a quoted line, since it may contain the pixels of an image. */
const SHOWN = 80;
const shown = (line: string): string =>
  JSON.stringify(line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line);

const broken = (message: string): AuroraError =>
  new AuroraError('usage', message, 'See `aurora play --help` for the requests.');

import {
  arePlayAdapters,
  areWeights,
  isDrawingSettings,
  isGenerationSettings,
  isPlayImage,
  PLAY_VARIANTS,
  type DrawingSettings,
  type GenerationSettings,
  type PlayAdapter,
  type PlayImage,
  type PlayVariant,
} from '../play-question';
import type { PlayLine } from '../playground';
import type { PlaygroundView } from './playground-view';

/** The subject of a playground: a checkpoint, or an ONNX file with or without an adapter's folder; absolute paths. */
export type PlaygroundOpen =
  | { kind: 'run'; run: string; at: 'best' | 'last' | number }
  | { kind: 'model'; model: string; adapter?: string };

export type PlaygroundToPage =
  /** Everything; also sent whenever anything but an answer changed. */
  | { type: 'snapshot'; view: PlaygroundView }
  /** The program's output since then, at most ten times a second. */
  | { type: 'lines'; lines: PlayLine[] }
  | { type: 'copied' }
  /** A picture was saved under this name. */
  | { type: 'saved'; name: string };

export type PlaygroundFromPage =
  /** A text, a pair of texts, or a question with its choices. */
  | { type: 'ask'; text: string; pair?: string; choices?: string[] }
  | { type: 'askImage'; image: PlayImage }
  | { type: 'generate'; text: string; asTyped?: boolean; settings: GenerationSettings }
  | { type: 'draw'; text: string; negative?: string; settings: DrawingSettings }
  /** Asks where to save a picture that was drawn. */
  | { type: 'savePicture'; subject: string; variant: PlayVariant }
  | { type: 'stop' }
  /** Requests a validation row of the first run. */
  | { type: 'sample' }
  /** Opens that row's tokens, as training reads them. */
  | { type: 'tokens' }
  /** Offers runs to compare. */
  | { type: 'compare' }
  /** Offers runs whose adapters can be added. */
  | { type: 'combine' }
  /** Removes the adapter of a run that was added. */
  | { type: 'separate'; run: string }
  /** The weights of the adapters: that of the run's own, then those of the others in their order. */
  | { type: 'weigh'; weights: number[] }
  /** The runs that were compared and combined before a reload. */
  | { type: 'restore'; runs: string[]; weight?: number; adapters?: PlayAdapter[] }
  | { type: 'remove'; subject: string }
  /** Restarts the program after it has ended. */
  | { type: 'restart' }
  | { type: 'copy'; text: string };

const isString = (value: unknown): value is string => typeof value === 'string';

/** Validates a message from the page; undefined if invalid. */
export function parsePlaygroundMessage(value: unknown): PlaygroundFromPage | undefined {
  const message = (value ?? {}) as Record<string, unknown>;
  const { type, text, pair, choices, image, asTyped, negative, settings, subject, variant } = message;
  switch (type) {
    case 'stop':
    case 'sample':
    case 'tokens':
    case 'compare':
    case 'combine':
    case 'restart':
      return { type };
    case 'ask':
      return isString(text) &&
        (pair === undefined || isString(pair)) &&
        (choices === undefined || (Array.isArray(choices) && choices.every(isString)))
        ? { type, text, pair, choices }
        : undefined;
    case 'copy':
      return isString(text) ? { type, text } : undefined;
    case 'askImage':
      return isPlayImage(image) ? { type, image } : undefined;
    case 'generate':
      return isString(text) && isGenerationSettings(settings)
        ? { type, text, ...(asTyped === true && { asTyped }), settings }
        : undefined;
    case 'draw':
      return isString(text) && (negative === undefined || isString(negative)) && isDrawingSettings(settings)
        ? { type, text, negative, settings }
        : undefined;
    case 'savePicture': {
      const known = PLAY_VARIANTS.find((v) => v === variant);
      return isString(subject) && known ? { type, subject, variant: known } : undefined;
    }
    case 'restore':
      return parseRestore(message);
    case 'separate':
      return isString(message.run) ? { type, run: message.run } : undefined;
    case 'weigh':
      return areWeights(message.weights) ? { type, weights: message.weights } : undefined;
    case 'remove':
      return isString(subject) ? { type, subject } : undefined;
    default:
      return undefined;
  }
}

function parseRestore({ runs, weight, adapters }: Record<string, unknown>): PlaygroundFromPage | undefined {
  if (!Array.isArray(runs) || !runs.every(isString)) return undefined;
  if (adapters === undefined) return { type: 'restore', runs };
  return arePlayAdapters(adapters) && areWeights([weight])
    ? { type: 'restore', runs, weight: weight as number, adapters }
    : undefined;
}

/** Parses the subject of a panel that a reload restores. */
export function parsePlaygroundOpen(value: unknown): PlaygroundOpen | undefined {
  const { kind, run, at, model, adapter } = (value ?? {}) as Record<string, unknown>;
  if (kind === 'run' && isString(run) && (at === 'best' || at === 'last' || Number.isSafeInteger(at)))
    return { kind, run, at: at as number };
  if (kind === 'model' && isString(model) && (adapter === undefined || isString(adapter)))
    return { kind, model, adapter };
  return undefined;
}

import { isMetrics } from '../../protocol/evaluations';
import type { RunEvent } from '../../protocol/events';

type Check = (value: unknown) => boolean;

const number: Check = (v) => typeof v === 'number';
const text: Check = (v) => typeof v === 'string';
const flag: Check = (v) => typeof v === 'boolean';
const object: Check = (v) => typeof v === 'object' && v !== null && !Array.isArray(v);
const listOf =
  (check: Check): Check =>
  (v) =>
    Array.isArray(v) && v.every(check);
const record =
  (fields: Record<string, Check>): Check =>
  (v) =>
    object(v) && Object.entries(fields).every(([key, check]) => check((v as Record<string, unknown>)[key]));
const optional =
  (check: Check): Check =>
  (v) =>
    v === undefined || check(v);

/** Numbers that are not finite are null in a file. The code that shows absent labels checks them. */
const metrics: Check = (v) =>
  object(v) &&
  Object.entries(v as object).every(
    ([key, x]) => key === 'absentLabels' || x === null || typeof x === 'number',
  );
const evaluated: Check = (v) => v === 'diverged' || isMetrics(v);
const change = record({ role: text, path: text });

/** The fields that readers of a journal rely on, by kind of event. */
const FIELDS: Record<RunEvent['kind'], Record<string, Check>> = {
  forked: { fromRun: text, fromStep: number, changed: listOf(record({ key: text })) },
  imported: { adapter: text, peftType: text },
  'inputs-accepted': {
    step: number,
    files: listOf(change),
    trainExamples: number,
    validationExamples: number,
  },
  requested: { engine: text, device: (v) => text(v) || listOf(text)(v), fallBack: flag },
  started: {
    steps: number,
    epochs: number,
    trainExamples: number,
    packedRows: optional(number),
    validationExamples: number,
    labels: listOf(text),
    scale: optional(object),
    modules: listOf(text),
    trainable: number,
    trainableHead: number,
  },
  device: {
    step: number,
    engine: text,
    device: text,
    reason: text,
    tried: listOf(record({ engine: text, device: text })),
  },
  resumed: { fromStep: number, warnings: listOf(text) },
  evaluation: { step: number, epoch: number, metrics, best: flag, seconds: number },
  'diverged-evaluation': {
    step: number,
    epoch: number,
    reason: text,
    seconds: number,
    metrics: optional(metrics),
  },
  alarm: {
    alarm: text,
    step: number,
    since: number,
    value: optional(number),
    threshold: optional(number),
    reference: optional(number),
    answer: optional(text),
    what: optional(text),
  },
  'test-evaluation': { step: number, set: optional(text), metrics: evaluated, seconds: number },
  'quantization-cost': { step: number, bits: number, of: text, quantized: evaluated, float32: evaluated },
  reused: { upTo: text, found: flag },
  checkpoint: { step: number, path: text },
  activations: { step: number, path: text },
  warning: { message: text },
  stopped: { step: number, reason: text },
  failed: { step: number, error: text, message: text, hint: optional(text) },
  finished: { step: number, best: metrics, last: metrics, seconds: number },
};

/** True if an event of a known kind has the fields that its readers rely on. */
export const isWhole = (event: RunEvent): boolean => record(FIELDS[event.kind])(event);

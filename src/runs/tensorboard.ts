import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AuroraError } from '../base/errors';
import { flatSettings } from '../experiment/differing-settings';
import { scoredOn } from '../experiment/evaluation-sets';
import { type Metrics, metricsIn, metricValue } from '../experiment/metrics';
import { writeAtomic } from '../files/atomic';
import { isAnyEvaluation } from '../protocol/evaluations';
import type { RunEvent } from '../protocol/events';
import { readScalars, type Scalars } from './curve/scalars';
import { runPaths } from './layout';
import { readRunSummary, type RunSummary } from './run-summary';

/** More points than a chart shows; of longer runs, evenly many steps are left out. */
const MOST_STEPS = 100_000;

/** Columns of the curve, as TensorBoard's users name them. */
const TRAINING: readonly (readonly [column: string, tag: string])[] = [
  ['loss', 'train/loss'],
  ['learningRate', 'train/learning_rate'],
  ['gradientNorm', 'train/grad_norm'],
];

export interface EventFile {
  folder: string;
  file: string;
  /** Training steps and evaluations in it. */
  steps: number;
  evaluations: number;
}

/**
 * Writes a run's curves, evaluations and settings as an event file for TensorBoard, in place of an earlier one.
 *
 * @param folder of the run in TensorBoard; by default `tensorboard` in the run folder
 * @throws AuroraError 'run' if there is nothing to show yet
 */
export function exportEvents(run: string, folder = runPaths(run).tensorboard): EventFile {
  const summary = readRunSummary(run);
  const curve = readScalars(run);
  const evaluations = evaluationEvents(summary.events);
  if (curve.records === 0 && evaluations.length === 0)
    throw new AuroraError('run', `${run} has no training step yet.`, 'Wait for its first step.');
  const began = (summary.events[0]?.t ?? 0) / 1000;
  const steps = stepEvents(curve);
  const last = Math.max(...[began], ...summary.events.slice(-1).map((e) => e.t / 1000));
  const bytes = Buffer.concat([
    fileVersion(began),
    settings(began, groupOf(summary), settingsOf(summary)),
    ...steps,
    ...evaluations,
    ended(last, stateOf(summary)),
  ]);
  // TensorBoard reads every file whose name has "tfevents" in it.
  const file = join(folder, `events.out.tfevents.${Math.floor(began)}.aurora`);
  writeAtomic(file, bytes);
  return { folder, file, steps: steps.length, evaluations: evaluations.length };
}

function stepEvents(curve: Scalars): Buffer[] {
  const { records } = curve;
  const every = Math.max(1, Math.ceil(records / MOST_STEPS));
  const [step, time, seconds, examples] = ['step', 'time', 'seconds', 'examples'].map((c) => curve.column(c));
  const columns = TRAINING.flatMap(([column, tag]) => {
    const values = curve.column(column);
    return values ? [[tag, values] as const] : [];
  });
  const events: Buffer[] = [];
  for (let i = 0; i < records; i++) {
    // The last step is always shown.
    if (i % every !== 0 && i !== records - 1) continue;
    const values = columns.map(([tag, all]) => [tag, all[i]!] as const);
    if (seconds && examples && seconds[i]! > 0)
      values.push(['train/examples_per_second', examples[i]! / seconds[i]!]);
    events.push(scalars(time ? time[i]! / 1000 : 0, step![i]!, values));
  }
  return events;
}

const evaluationEvents = (events: readonly RunEvent[]): Buffer[] =>
  events.flatMap((e) => {
    if (isAnyEvaluation(e)) return e.metrics ? [evaluated(e.t, e.step, 'validation', e.metrics)] : [];
    if (e.kind !== 'test-evaluation' || e.metrics === 'diverged') return [];
    return [evaluated(e.t, e.step, scoredOn(e.set).replace(/^evaluations\./, 'evaluation/'), e.metrics)];
  });

const evaluated = (t: number, step: number, set: string, metrics: Metrics): Buffer =>
  scalars(
    t / 1000,
    step,
    metricsIn(metrics).map((name) => [`${set}/${snake(name)}`, metricValue(metrics, name)] as const),
  );

const snake = (name: string): string => name.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`);

/** Numbers, texts and switches; a list as its JSON. Paths of this machine are of no use elsewhere. */
function settingsOf({ spec }: RunSummary): Map<string, Setting> {
  const all = [...flatSettings(spec)].filter(
    ([key]) => !/^(model\.(path|tokenizer|preprocessor)|data\.)/.test(key),
  );
  return new Map(
    all.map(([key, json]) => {
      const value = JSON.parse(json) as unknown;
      return [key, Array.isArray(value) || value === null ? json : (value as Setting)];
    }),
  );
}

/** Runs that differ in their seed alone are one group. */
function groupOf({ spec }: RunSummary): string {
  const same = [...flatSettings(spec)].filter(([key]) => key !== 'training.seed' && key !== 'name');
  return createHash('sha256').update(JSON.stringify(same)).digest('hex').slice(0, 16);
}

function stateOf({ status }: RunSummary): 'finished' | 'failed' | 'running' {
  return status?.state === 'running' ? 'running' : status?.state === 'failed' ? 'failed' : 'finished';
}

/**
 * A record of TensorFlow's TFRecord format: length, its checksum, data, their checksum
 * (https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details).
 */
export function record(data: Uint8Array): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(data.length));
  head.writeUInt32LE(maskedCrc32c(head.subarray(0, 8)), 8);
  const foot = Buffer.alloc(4);
  foot.writeUInt32LE(maskedCrc32c(data));
  return Buffer.concat([head, data, foot]);
}

/** The first event of a file. Event and Summary: tensorboard/compat/proto/event.proto and summary.proto. */
const fileVersion = (seconds: number): Buffer =>
  record(Buffer.concat([double(1, seconds), block(3, 'brain.Event:2')]));

/** Numbers at a step. @param seconds since 1970 */
export const scalars = (
  seconds: number,
  step: number,
  values: readonly (readonly [tag: string, value: number])[],
): Buffer =>
  event(
    seconds,
    step,
    values.map(([tag, value]) => block(1, [block(1, tag), float(2, value)])),
  );

const event = (seconds: number, step: number, values: readonly Buffer[]): Buffer =>
  record(Buffer.concat([double(1, seconds), ...(step > 0 ? [integer(2, step)] : []), block(5, values)]));

type Setting = string | number | boolean;

/** The settings that the HParams view reads: plugin_data.proto of tensorboard/plugins/hparams. */
function settings(seconds: number, group: string, values: ReadonlyMap<string, Setting>): Buffer {
  const entries = [...values].map(([name, value]) =>
    block(1, [block(1, name), block(2, [structValue(value)])]),
  );
  const info = block(3, [...entries, block(4, group), double(5, seconds)]);
  return plugin(seconds, '_hparams_/session_start_info', info);
}

/** A google.protobuf.Value. */
const structValue = (value: Setting): Buffer =>
  typeof value === 'number'
    ? double(2, value)
    : typeof value === 'string'
      ? block(3, value)
      : integer(4, Number(value));

const STATUS = { finished: 1, failed: 2, running: 3 };

/** The state in which the run ended. */
const ended = (seconds: number, state: keyof typeof STATUS): Buffer =>
  plugin(seconds, '_hparams_/session_end_info', block(4, [integer(1, STATUS[state]), double(2, seconds)]));

function plugin(seconds: number, tag: string, data: Buffer): Buffer {
  const metadata = block(9, [block(1, [block(1, 'hparams'), block(2, [data])]), integer(4, TENSOR_CLASS)]);
  // An empty tensor of float32, since every value needs one.
  const tensor = block(8, [integer(1, FLOAT32), block(2, [block(2, [integer(1, 0)])])]);
  return event(seconds, 0, [block(1, [block(1, tag), tensor, metadata])]);
}

const TENSOR_CLASS = 2;
const FLOAT32 = 1;

/** The wire format of Protocol Buffers: each function returns one field of a message. */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

function varint(value: number): Buffer {
  const bytes: number[] = [];
  // Steps may have more than 32 bits.
  let rest = value;
  do {
    const low = rest % 128;
    rest = Math.floor(rest / 128);
    bytes.push(rest > 0 ? low | 0x80 : low);
  } while (rest > 0);
  return Buffer.from(bytes);
}

const key = (field: number, type: number): Buffer => varint(field * 8 + type);

/** An integer of at least 0, an enumerated value, or a boolean. */
const integer = (field: number, value: number): Buffer => Buffer.concat([key(field, VARINT), varint(value)]);

function double(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return Buffer.concat([key(field, FIXED64), bytes]);
}

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([key(field, FIXED32), bytes]);
}

/** A string, or a message of these fields. */
function block(field: number, content: string | readonly Buffer[]): Buffer {
  const bytes = typeof content === 'string' ? Buffer.from(content) : Buffer.concat(content);
  return Buffer.concat([key(field, BYTES), varint(bytes.length), bytes]);
}

/** CRC-32C (Castagnoli), reflected. */
const POLYNOMIAL = 0x82f63b78;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
  return crc;
});

export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** A checksum as TFRecord stores it, so that a checksum of data that contain one is not that checksum. */
function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

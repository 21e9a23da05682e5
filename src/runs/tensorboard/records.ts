import { maskedCrc32c } from './crc32c';
import { block, double, float, integer } from './protobuf';

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
export const fileVersion = (seconds: number): Buffer =>
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

export type Setting = string | number | boolean;

/** The settings that the HParams view reads: plugin_data.proto of tensorboard/plugins/hparams. */
export function settings(seconds: number, group: string, values: ReadonlyMap<string, Setting>): Buffer {
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
export const ended = (seconds: number, state: keyof typeof STATUS): Buffer =>
  plugin(seconds, '_hparams_/session_end_info', block(4, [integer(1, STATUS[state]), double(2, seconds)]));

function plugin(seconds: number, tag: string, data: Buffer): Buffer {
  const metadata = block(9, [block(1, [block(1, 'hparams'), block(2, [data])]), integer(4, TENSOR_CLASS)]);
  // An empty tensor of float32, since every value needs one.
  const tensor = block(8, [integer(1, FLOAT32), block(2, [block(2, [integer(1, 0)])])]);
  return event(seconds, 0, [block(1, [block(1, tag), tensor, metadata])]);
}

const TENSOR_CLASS = 2;
const FLOAT32 = 1;

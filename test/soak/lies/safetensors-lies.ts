import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readHeader } from '../../../src/architectures/folder/weight-files';
import { type HeaderEntry, readSafetensors } from '../../../src/graph/file/safetensors';
import type { Draw } from '../draw';
import { hubReaders } from '../subjects';
import { deep, HUGE, type Lies, ODD } from './lie';

type Header = Record<string, HeaderEntry>;

/** BERT's folder, with another header before the same weights. @param length of the header as stated */
const header =
  (text: (draw: Draw, header: Header) => string, length?: (draw: Draw, json: Buffer) => bigint) =>
  (draw: Draw, folder: string): void => {
    const from = resolve('test/fixtures/hf/bert');
    copyFileSync(join(from, 'config.json'), join(folder, 'config.json'));
    const whole = readFileSync(join(from, 'model.safetensors'));
    const end = 8 + Number(whole.readBigUInt64LE());
    const json = Buffer.from(text(draw, JSON.parse(whole.toString('utf8', 8, end)) as Header));
    const size = Buffer.alloc(8);
    size.writeBigUInt64LE(length?.(draw, json) ?? BigInt(json.length));
    writeFileSync(join(folder, 'model.safetensors'), Buffer.concat([size, json, whole.subarray(end)]));
  };

/** Changes the entry of one weight. */
const entry = (change: (draw: Draw, entry: HeaderEntry) => void) =>
  header((draw, header) => {
    change(draw, header[draw.pick(Object.keys(header).filter((name) => name !== '__metadata__'))]!);
    return JSON.stringify(header);
  });

export const safetensorsLies: Lies = {
  name: 'safetensors',
  readers: [
    (f) => readHeader(join(f, 'model.safetensors')),
    (f) => readSafetensors(join(f, 'model.safetensors')),
    ...hubReaders,
  ],
  lies: {
    'the length of the header': header(
      (_draw, header) => JSON.stringify(header),
      (draw, json) =>
        draw.pick([0n, 1n, BigInt(json.length - 1), ...HUGE.map(BigInt), 2n ** 64n - 1n, 2n ** 63n]),
    ),
    'a size': entry((draw, { shape }) => {
      if (shape.length > 0) shape[draw.int(shape.length)] = draw.pick([...HUGE, ...ODD]);
    }),
    'many sizes': entry((draw, e) => {
      e.shape = new Array<number>(draw.pick([10, 100_000])).fill(draw.pick([0, 1, 2]));
    }),
    offsets: entry((draw, e) => {
      e.data_offsets[draw.int(2)] = draw.pick([...HUGE, ...ODD]);
    }),
    'a size and its bytes': entry((draw, e) => {
      const size = draw.pick(HUGE);
      e.shape = [size];
      e.data_offsets[1] = e.data_offsets[0] + 4 * size;
    }),
    'the type': entry((draw, e) => {
      e.dtype = draw.pick(['F64', 'F8_E4M3', 'BOOL', 'U8', '__proto__', 'd'.repeat(100_000)]);
    }),
    'shared bytes': header((_draw, header) => {
      const entries = Object.values(header).filter((e) => 'data_offsets' in e);
      for (const e of entries) e.data_offsets = entries[0]!.data_offsets;
      return JSON.stringify(header);
    }),
    'a long name': header((draw, header) => {
      const name = draw.pick(Object.keys(header));
      const { [name]: moved, ...others } = header;
      return JSON.stringify({ ...others, ['n'.repeat(200_000)]: { ...moved, shape: [draw.pick(HUGE)] } });
    }),
    'many weights': header((_draw, header) => {
      for (let i = 0; i < 20_000; i++) header[`w${i}`] = { dtype: 'F32', shape: [0], data_offsets: [0, 0] };
      return JSON.stringify(header);
    }),
    'a deep header': header((draw) => `{"a":${deep('[', ']', '1', draw.pick([1000, 100_000]))}}`),
    'another JSON': header((draw) =>
      draw.pick(['[]', 'null', '1e999', '"x"', '{"__metadata__":[1]}', '{}', '{"__proto__":{}}']),
    ),
  },
};

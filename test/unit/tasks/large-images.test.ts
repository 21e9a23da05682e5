import { readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { answeredOf } from '../../../src/data/dataset';
import { DType } from '../../../src/graph/dtype';
import { balanceProblems } from '../../../src/training/preflight/preflight-problems';
import { dataLine } from '../../../src/training/preflight/data-lines';
import { imageClassification as kind } from '../../../src/tasks/image-classification';
import type { ImageData } from '../../../src/tasks/image-data';
import { exampleColumns } from '../../../src/tasks/answers';
import { modelInputs } from '../../../src/tasks/task-data';
import { png } from '../../png';
import { emptyGraph, modelOf } from '../autodiff/check';
import { quoted, writeParquet } from '../data/table/duckdb';
import { taskLab } from './lab';
import { large, ownCache } from './large';

const rowsFolder = join(ownCache(), 'aurora-lab/rows');

const lab = taskLab('image-classification');
const at = (name: string) => join(lab.path, name);
const model = modelOf({
  ...emptyGraph(),
  inputs: [{ name: 'pixel_values', dtype: DType.float, shape: ['batch', 3, 4, 6] }],
});
lab.write(
  'preprocessor_config.json',
  JSON.stringify({ image_processor_type: 'ViTImageProcessor', size: { height: 4, width: 6 } }),
);

const picture = (i: number) => png(7, 5, (x, y) => [(17 * i) % 256, 30 * x, 40 * y]);
const blob = (bytes: Uint8Array) => `from_hex('${Buffer.from(bytes).toString('hex')}')`;
const struct = (bytes: string, path: string) => `{'bytes': ${bytes}, 'path': ${path}}`;
/** The third row is no image; the last two have the same bytes as the first, and one another label. */
const rows = [
  ...Array.from({ length: 12 }, (_, i) =>
    i === 2
      ? [blob(Buffer.from('no\nimage')), "'bad.png'", 0]
      : [blob(picture(i)), i % 3 ? 'null' : `'${i}.png'`, i % 2],
  ),
  [blob(picture(0)), "'twin.png'", 1],
  [blob(picture(0)), "'twin.png'", 0],
].map(([bytes, path, label]) => `(${struct(String(bytes), String(path))}, ${label})`);
const names = quoted(
  JSON.stringify({ info: { features: { label: { names: ['cat', 'dog'], _type: 'ClassLabel' } } } }),
);
const write = (name: string, own: readonly string[]) =>
  writeParquet(
    at(name),
    `select * from (values ${own.join(', ')}) t(image, label)`,
    `kv_metadata {huggingface: ${names}}`,
  );

describe('images in a large Parquet file', () => {
  beforeAll(async () => {
    await write('whole.parquet', rows);
    await write('part-0.parquet', rows.slice(0, 5));
    await write('part-1.parquet', rows.slice(5));
    for (const name of ['whole', 'part-0', 'part-1']) utimesSync(at(`${name}.parquet`), 1, 1);
    await wait(100);
  });
  const columns = { imageColumn: 'image', labelColumn: 'label', onBadRow: 'skip' };

  it.each(['whole.parquet', 'part-*.parquet'])(
    'of %s stay on disk, and are what they are in memory',
    async (name) => {
      const spec = lab.spec({ train: at(name), validationFraction: 0.3, ...columns });
      const memory = await kind.load(spec, model);
      const readings: string[] = [];
      // The second time from the cached index.
      for (let i = 0; i < 2; i++) {
        const disk = await large(() =>
          kind.load(spec, model, undefined, ({ done, of }) => void readings.push(`${i} ${done}/${of}`)),
        );
        expect([disk.labels, disk.warnings]).toEqual([memory.labels, memory.warnings]);
        expect(memory.warnings.join()).toContain('the image is not a JPEG');
        expect(kind.baseline(disk)).toEqual(kind.baseline(memory));
        expect(dataLine(kind, disk)).toEqual(dataLine(kind, memory));
        for (const side of ['train', 'validation'] as const) {
          const [a, b] = [memory[side], disk[side]];
          expect(Array.isArray(b.dataset.examples)).toBe(false);
          expect([...b.rows].map(told)).toEqual([...a.rows].map(told));
          expect(exampleColumns(b)).toEqual(exampleColumns(a));
          const answers = (d: ImageData['train']) =>
            Array.from(answeredOf(d.dataset.examples), (e) => [e.label, e.row, e.size]);
          expect(answers(b)).toEqual(answers(a));
          const all = [...a.dataset.examples.map((_, n) => n)];
          const inputs = (d: ImageData['train']) =>
            kind.inputs(d.dataset, all, modelInputs(model), 1, undefined);
          expect(await inputs(b)).toEqual(await inputs(a));
        }
        expect(await kind.shown(disk, disk.validation, 1)).toEqual(
          await kind.shown(memory, memory.validation, 1),
        );
        const samples = async (of: ImageData) => {
          const [sample] = await kind.samples(spec, of);
          return { ...sample!, image: await sample!.image!() };
        };
        expect(await large(() => samples(disk))).toEqual(await samples(memory));
      }
      expect(readings.length).toBeGreaterThan(1);
      expect(readings.every((reading) => reading.startsWith('0 '))).toBe(true);
    },
  );

  it('are compared with those of small files by their bytes', async () => {
    await write('small.parquet', [rows[0]!, rows[3]!]);
    const spec = lab.spec({ train: at('whole.parquet'), validation: at('small.parquet'), ...columns });
    const memory = await kind.load(spec, model);
    const disk = await large(() => kind.load(spec, model));
    const mixed = { ...disk, validation: memory.validation };
    expect(dataLine(kind, mixed)).toEqual(dataLine(kind, memory));
    expect(dataLine(kind, mixed).duplicates.acrossSplits.count).toBe(2);
    expect(
      balanceProblems(spec, dataLine(kind, mixed))
        .map((p) => p.message)
        .join(),
    ).toContain('are also trained on');
  });

  it('are read in a process that has not opened their copy', async () => {
    const spec = lab.spec({ train: at('whole.parquet'), validationFraction: 0.3, ...columns });
    const { train } = await large(() => kind.load(spec, model));
    const own = train.dataset.examples.at(1)!;
    if (!('copied' in own.source)) throw new Error('It is not on disk');
    const source = { ...own.source, copied: { ...own.source.copied, file: -1, process: -1 } };
    const dataset = { ...train.dataset, examples: [own, { ...own, source }] };
    const { pixel_values: values } = await kind.inputs(dataset, [0, 1], modelInputs(model), 1);
    const { data } = values as { data: Float32Array };
    expect(data.slice(0, 72)).toEqual(data.slice(72));
  });

  it('that are only named are read into memory', async () => {
    lab.write('a.png', picture(1));
    const named = ['0', '1', '0', '1'].map((label) => `(${struct('null::blob', "'a.png'")}, ${label})`);
    await write('named.parquet', named);
    const spec = lab.spec({ train: at('named.parquet'), validationFraction: 0.5, ...columns });
    const { train } = await large(() => kind.load(spec, model));
    expect(train.dataset.examples.at(0)!.source).toEqual({ path: at('a.png'), of: at('named.parquet') });
  });

  it('are an error where their copy was damaged', async () => {
    const spec = lab.spec({ train: at('whole.parquet'), validationFraction: 0.3, ...columns });
    const { train } = await large(() => kind.load(spec, model));
    for (const name of readdirSync(rowsFolder).filter((n) => n.endsWith('.jsonl'))) {
      const bytes = readFileSync(join(rowsFolder, name));
      bytes[bytes.indexOf('IDAT') + 9]! ^= 1;
      bytes[bytes.lastIndexOf('IDAT') + 9]! ^= 1;
      writeFileSync(join(rowsFolder, name), bytes);
    }
    const all = [...train.dataset.examples.map((_, i) => i)];
    await expect(kind.inputs(train.dataset, all, modelInputs(model), 1)).rejects.toThrow(
      /was damaged or changed/,
    );
  });
});

const told = ({ text, label, line }: { text: string; label: string; line: number }) => [text, label, line];

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import { DType } from '../../../src/graph/dtype';
import { host, runModel } from '../graph/onnx-models';

const FIXTURES = join(import.meta.dirname, '../../fixtures');

interface Values {
  dims: number[];
  data: number[];
}
type Inputs = Record<string, Values>;

const read = <T>(path: string): T => JSON.parse(readFileSync(join(FIXTURES, path), 'utf8')) as T;

const POOLERS = read<Record<string, { inputs: string | Inputs; pooled: number[] }>>('poolers/poolers.json');

it.each(Object.entries(POOLERS))('%s has the pooler of its class', async (folder, { inputs, pooled }) => {
  const given = typeof inputs === 'string' ? read<{ inputs: Inputs }>(inputs).inputs : inputs;
  const feeds = Object.fromEntries(
    Object.entries(given).map(([name, { dims, data }]) => [
      name,
      host(dims, data, name === 'pixel_values' ? DType.float : DType.int64),
    ]),
  );
  const { pooler_output } = await runModel(loadModelFrom(modelSource(join(FIXTURES, folder))), feeds);
  const made = Array.from(pooler_output.data as Float32Array);
  expect(made).toHaveLength(pooled.length);
  const most = Math.max(...pooled.map(Math.abs));
  made.forEach((v, i) => expect(Math.abs(v - pooled[i])).toBeLessThan(1e-5 * most));
});

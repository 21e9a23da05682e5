import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { loadTextEncoder, loadVaeDecoder, loadVaeEncoder } from '../../src/architectures/pipeline';
import type { DenseArray } from '../../src/cli/commands/reference/case';
import { openForward } from '../../src/engine/open-task';
import type { Place } from '../../src/engine/place';
import { DType } from '../../src/graph/dtype';
import type { Model } from '../../src/graph/model';
import { prepareModel } from '../../src/graph/prepare';

type Arrays = Record<string, DenseArray>;

interface Round {
  inputs: Arrays;
  outputs: Arrays;
}

interface ForwardCase extends Round {
  model: string;
  graph: 'vae_encoder' | 'vae_decoder' | 'text_encoder';
  otherShapes: Round[];
}

function loaded(folder: string, graph: ForwardCase['graph']): Model {
  const load = { text_encoder: loadTextEncoder, vae_encoder: loadVaeEncoder, vae_decoder: loadVaeDecoder };
  return load[graph]({ kind: 'hub', file: join(folder, 'config.json') });
}

/** The largest error of each output, relative to its largest value, in all rounds of a case. */
export async function forwardErrors(path: string, place: Place): Promise<Map<string, number>> {
  const c = JSON.parse(readFileSync(path, 'utf8')) as ForwardCase;
  const model = prepareModel(loaded(join(dirname(path), c.model), c.graph));
  const folder = mkdtempSync(join(tmpdir(), 'aurora-forward-'));
  const errors = new Map<string, number>();
  try {
    const names = Object.keys(c.outputs);
    const forward = await openForward(model, names, folder, { place });
    for (const [i, { inputs, outputs }] of [c, ...c.otherShapes].entries()) {
      const out = await forward.run(
        Object.fromEntries(Object.entries(inputs).map(([name, a]) => [name, host(name, a)])),
      );
      for (const [name, wanted] of Object.entries(outputs))
        errors.set(`${name} ${i}`, error(Float32Array.from(out[name].data as Float32Array), wanted.data));
    }
    await forward.dispose();
  } finally {
    rmSync(folder, { recursive: true });
  }
  return errors;
}

const host = (name: string, { dims, data }: DenseArray) =>
  name === 'input_ids'
    ? { dtype: DType.int64, dims, data: BigInt64Array.from(data, BigInt) }
    : { dtype: DType.float, dims, data: Float32Array.from(data) };

function error(found: Float32Array, wanted: readonly number[]): number {
  if (found.length !== wanted.length) return Infinity;
  const largest = Math.max(...wanted.map(Math.abs));
  return Math.max(...wanted.map((v, i) => Math.abs(found[i] - v))) / largest;
}

import { tensorName } from '../../../src/adapters/stored-tensors';
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { LORA_BIAS } from '../../../src/adapters/methods/lora';
import { modelSource } from '../../../src/architectures/model-source';
import type { DenseArray } from '../../../src/cli/commands/reference/case';
import type { Experiment } from '../../../src/experiment/experiment';
import { readSafetensors } from '../../../src/graph/file/safetensors';
import { pytorchPathOf } from '../../../src/graph/layers/linear';
import { readAdapterFolder } from '../../../src/peft/adapter-folder';
import { fitAdapter } from '../../../src/peft/fit';
import { peftKey } from '../../../src/peft/keys';
import { CONFIG_FILE, WEIGHTS_FILE, writePeftAdapter } from '../../../src/peft/peft-adapter';
import { readModel } from '../../../src/training/task/adapted-model';
import { scratchFolder } from '../../scratch';
import { loraSpec } from '../specs';

const FIXTURE = resolve('test/fixtures/peft/lora-bias');
const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;

describe('an adapter of PEFT with lora_bias', () => {
  const source = modelSource(FIXTURE);
  const { model, layers } = readModel(source);
  const read = fitAdapter(readAdapterFolder(join(FIXTURE, 'adapter')), model.graph, layers);

  it('is read with its biases', () => {
    expect(read.spec).toMatchObject({ method: 'lora', rank: 3, alpha: 6, loraBias: true });
    const { trainable } = json(`${FIXTURE}.json`) as { trainable: Record<string, DenseArray> };
    expect(read.adapters).toHaveLength(6);
    for (const adapter of read.adapters) {
      const wanted = trainable[peftKey(pytorchPathOf(adapter.layer), 'lora_B.bias')].data;
      const found = read.parameters.get(tensorName(adapter, LORA_BIAS))!;
      expect(found).toHaveLength(wanted.length);
      found.forEach((v, i) => expect(v).toBeCloseTo(wanted[i], 6));
    }
  });

  it('is written as PEFT wrote it', () => {
    const folder = join(scratchFolder('lora-bias'), 'written');
    mkdirSync(folder);
    const spec = {
      adapter: read.spec,
      model: { path: source.file },
      task: { type: 'text-classification', head: 'none' },
    } as Experiment;
    writePeftAdapter(folder, { spec, source, adapters: read.adapters }, read.parameters, { labels: [] });
    const tensors = (of: string) => readSafetensors(join(of, WEIGHTS_FILE)).tensors;
    expect(tensors(folder)).toEqual(tensors(join(FIXTURE, 'adapter')));
    const [own, peft] = [folder, join(FIXTURE, 'adapter')].map((of) => json(join(of, CONFIG_FILE)));
    for (const key of ['bias', 'fan_in_fan_out', 'init_lora_weights', 'lora_alpha', 'lora_bias', 'r'])
      expect([key, own[key]]).toEqual([key, peft[key]]);
  });

  it('is the only one whose configuration has the key, which PEFT before 0.14 rejects', () => {
    const folder = join(scratchFolder('lora-plain'), 'written');
    mkdirSync(folder);
    const adapter = loraSpec({ rank: 3 });
    const task = { type: 'text-classification', head: 'none' };
    const spec = { adapter, model: { path: source.file }, task } as Experiment;
    writePeftAdapter(folder, { spec, source, adapters: [] }, new Map(), { labels: [] });
    expect(json(join(folder, CONFIG_FILE))).not.toHaveProperty('lora_bias');
  });
});

import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FORMS } from '../../../src/exports/export-forms';
import { readSafetensors } from '../../../src/graph/file/safetensors';
import { WEIGHTS_FILE } from '../../../src/peft/peft-adapter';
import type { ExportForm } from '../../../src/protocol/export';
import { loadExperiment } from '../../../src/runs/experiment/load';
import type { Trained } from '../../../src/training/checkpoint/trained-run';
import { largestDifference, measureTask } from '../../../src/training/measure';
import { perturbed } from '../../../src/training/task/initialize';
import { initialParameters, prepareTask } from '../../../src/training/task/task';
import { Lab } from '../../cli/lab';
import { robertaWithHead } from '../../cli/roberta-with-head';

const lab = new Lab();
// The user's cache stays as it is.
const before = process.env.XDG_CACHE_HOME;
process.env.XDG_CACHE_HOME = lab.path('user-cache');
afterAll(() => {
  if (before === undefined) delete process.env.XDG_CACHE_HOME;
  else process.env.XDG_CACHE_HOME = before;
  lab.remove();
});

beforeAll(() => robertaWithHead(lab));

const HEADS = [
  ['trained further', '"headWeights":"model"', ['classifier.dense']],
  ['as the model’s own logits', '"head":"none"', ['classifier.dense', 'classifier.out_proj']],
] as const;
const PLACES: ExportForm[] = [
  'adapter',
  'peft-lora',
  'onnx-dynamic',
  'onnx-merged',
  'onnx-adapter-inputs',
  'safetensors',
];

describe.each(HEADS)('a whole head %s, and trained tokens', (_, task, saved) => {
  async function trained(): Promise<Trained> {
    const adapter =
      '"method":"lora","rank":2,"targetModules":["query"],"modulesToSave":["classifier","score"],"trainableTokenIndices":[5,7]';
    const spec = loadExperiment(lab.experiment, [
      'model.path=roberta',
      `task={"type":"text-classification",${task}}`,
      `adapter={${adapter}}`,
    ]);
    const prepared = await prepareTask(spec, lab.fresh('task'));
    const parameters = perturbed(initialParameters(prepared), 4);
    return {
      task: prepared,
      parameters,
      labels: prepared.data.labels,
      form: 'dynamic',
    } as unknown as Trained;
  }

  it.each(PLACES)('are in %s', async (form) => {
    const subject = await trained();
    const beside = subject.task.adapters.filter((a) => a.beside === 'module').map((a) => a.layer.path);
    expect(beside).toEqual(saved);
    const [out, work] = [lab.fresh('out'), lab.fresh('work')];
    for (const folder of [out, work]) mkdirSync(folder, { recursive: true });
    FORMS[form].check?.(subject);
    FORMS[form].write(subject, out, work, { requantize: false, precision: 'float16' });
    const expected = await measureTask(subject.task, subject.parameters, lab.fresh('measured'));
    const found = await FORMS[form].measure(subject, out, work);
    expect(largestDifference(found, expected)).toBeLessThan(1e-5);
    const plain = await measureTask(
      { ...subject.task, adapters: [], graph: { ...subject.task.graph, adapters: [] } },
      subject.parameters,
      lab.fresh('measured'),
    );
    expect(largestDifference(plain, expected)).toBeGreaterThan(1e-3);
  });

  it('have PEFT’s keys', async () => {
    const out = lab.fresh('keys');
    mkdirSync(out, { recursive: true });
    FORMS['peft-lora'].write(await trained(), out, out, { requantize: false, precision: 'float16' });
    const keys = [...readSafetensors(join(out, WEIGHTS_FILE)).tensors.keys()];
    expect(keys.filter((key) => !key.includes('.lora_')).sort()).toEqual([
      'base_model.model.classifier.dense.bias',
      'base_model.model.classifier.dense.weight',
      'base_model.model.classifier.out_proj.bias',
      'base_model.model.classifier.out_proj.weight',
      'base_model.model.roberta.embeddings.word_embeddings.token_adapter.trainable_tokens_delta',
    ]);
    expect(JSON.parse(readFileSync(join(out, 'adapter_config.json'), 'utf8'))).toMatchObject({
      modules_to_save: ['classifier'],
      trainable_token_indices: { word_embeddings: [5, 7] },
    });
  });
});

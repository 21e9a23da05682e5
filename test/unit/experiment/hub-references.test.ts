import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { loadModelFrom } from '../../../src/architectures/load';
import { modelSource } from '../../../src/architectures/model-source';
import type { AuroraError } from '../../../src/base/errors';
import { parseHubReference } from '../../../src/experiment/hub-reference';
import { ExperimentText } from '../../../src/runs/experiment/experiment-text';
import { isCached, isCachedLater } from '../../../src/runs/experiment/hub-references';
import { checkWithTrials, loadExperiment, loadSweep } from '../../../src/runs/experiment/load';
import { readInputs, writeInputs } from '../../../src/runs/inputs';

const C = '0123456789abcdef0123456789abcdef01234567';
const MODEL = `hf://org/bert@${C}`;
const GLUE = `hf://datasets/nyu-mll/glue@${C}`;

let folder: string;
let file: string;
const cached = (name: string) => join(folder, 'hub', name);
const model = (path: string) => cached(`models--org--bert/snapshots/${C}/${path}`);
const glue = (path: string) => cached(`datasets--nyu-mll--glue/snapshots/${C}/${path}`);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'aurora-references-'));
  file = join(folder, 'x.aurora.json');
  vi.stubEnv('HF_HUB_CACHE', join(folder, 'hub'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

function put(...paths: string[]): void {
  for (const path of paths) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, '');
  }
}
const experiment = (data: object = {}, more: object = {}) => {
  const text = JSON.stringify(
    { model: { path: MODEL }, data: { train: `${GLUE}/rte/train/*.parquet`, ...data }, ...more },
    null,
    1,
  );
  writeFileSync(file, text);
  return text;
};
function errorOf(load: () => unknown): string {
  try {
    load();
  } catch (e) {
    expect(e).toMatchObject({ kind: 'experiment' });
    return (e as AuroraError).message.replaceAll(file, 'FILE');
  }
  throw new Error('It was accepted.');
}

describe('an experiment that names the hub', () => {
  it('reads what is in the cache: the model, data, patterns and evaluations', () => {
    put(
      model('config.json'),
      model('model.safetensors'),
      glue('rte/train/0000.parquet'),
      glue('rte/train/0001.parquet'),
    );
    put(glue('rte/validation/0000.parquet'), glue('mrpc/test/0000.parquet'), glue('rte/test/0000.parquet'));
    experiment({
      validation: `${GLUE}/rte/validation/0000.parquet`,
      test: `${GLUE}/rte/test/0000.parquet`,
      evaluations: { mrpc: { path: `${GLUE}/mrpc/test/0000.parquet` } },
    });
    const spec = loadExperiment(file);
    expect(spec.model).toMatchObject({ path: model('config.json'), tokenizer: model('tokenizer.json') });
    expect(spec.data).toMatchObject({
      train: glue('rte/train/*.parquet'),
      validation: glue('rte/validation/0000.parquet'),
      test: glue('rte/test/0000.parquet'),
      evaluations: { mrpc: { path: glue('mrpc/test/0000.parquet') } },
    });
  });

  it('reads a pipeline that is in the cache', () => {
    cpSync(join(import.meta.dirname, '../../fixtures/diffusers/sd'), model(''), { recursive: true });
    put(join(folder, 'images/1.png'));
    experiment(
      { train: 'images' },
      { task: { type: 'subject-generation', instancePrompt: 'a photo of sks dog' } },
    );
    const { path } = loadExperiment(file).model;
    expect(path).toBe(model('model_index.json'));
    expect(loadModelFrom(modelSource(path), 'structure').graph.outputs[0]?.name).toBe('out_sample');
  });

  it.each([
    [[], false],
    [['config.json'], false],
    [['config.json', 'model.safetensors'], true],
    [['model_index.json'], false],
    [['model_index.json', 'vae/config.json', 'vae/model.safetensors', 'unet/config.json'], false],
    [['model_index.json', 'unet/config.json', 'unet/diffusion_pytorch_model.safetensors'], true],
    [['model_index.json', 'unet/model.onnx'], true],
  ])('has a model in the cache if its weights are: %j', async (files, isThere) => {
    put(...files.map(model));
    const ref = parseHubReference(MODEL)!;
    expect([isCached(ref), await isCachedLater(ref)]).toEqual([isThere, isThere]);
  });

  it('says at each place what has not been downloaded, and how', () => {
    put(model('config.json'), glue('rte/train/0000.parquet'));
    experiment({ validation: `${GLUE}/rte/validation/0000.parquet` });
    // The weights are missing: other programs download only a configuration, too.
    expect(errorOf(() => loadExperiment(file)).split('\n')).toEqual([
      `FILE:3:3: model.path is "${MODEL}", which has not been downloaded to this machine: run \`aurora get FILE\`.`,
      `FILE:7:3: data.validation is "${GLUE}/rte/validation/0000.parquet", which has not been downloaded to this machine: run \`aurora get FILE\`.`,
    ]);
  });

  it('says so for what a sweep varies', () => {
    put(model('config.json'), model('model.safetensors'), glue('rte/train/0000.parquet'));
    const other = `hf://org/other@${C}`;
    experiment({}, { sweep: { type: 'grid', parameters: { 'model.path': [MODEL, other] } } });
    expect(errorOf(() => loadSweep(file))).toContain(`is "${other}", which has not been downloaded`);
  });

  it.each([
    [{ train: 'hf://datasets/nyu-mll/glue@main/rte/train/0000.parquet' }, 'in which "main" is not a commit'],
    [{ train: 'hf://datasets/nyu-mll/glue/rte' }, 'without a commit'],
    [{ train: GLUE }, 'which names no file'],
    [{ train: MODEL }, 'which is a model'],
    [{ train: 'x.csv', evaluations: { a: { path: 'hf://datasets/a/b@x/y' } } }, 'data.evaluations.a.path is'],
  ])('with a mistake is refused where it is, without a look at the cache: %o', (data, message) => {
    const text = experiment(data);
    const { problems } = checkWithTrials(new ExperimentText(file, text));
    expect(problems.filter(({ from }) => from === 'rule').map((p) => p.message)).toEqual([
      expect.stringContaining(message),
    ]);
    expect(text.slice(problems[0].offset)).toMatch(/^"(train|path)"/);
    expect(errorOf(() => loadExperiment(file))).toContain(message);
  });

  it('gets the reference of every file recorded by its run', () => {
    const named = { role: 'train', size: 1, sha256: 'x' } as const;
    const run = join(folder, 'run');
    mkdirSync(run);
    const files = [
      { ...named, path: glue('rte/train/0000.parquet'), pattern: glue('rte/train/*.parquet') },
      { ...named, role: 'validation', path: join(folder, 'own.csv') } as const,
    ];
    writeInputs(run, { version: 1, since: 0, files });
    expect(readInputs(run)!.files.map(({ hub }) => hub)).toEqual([
      `${GLUE}/rte/train/0000.parquet`,
      undefined,
    ]);
  });
});

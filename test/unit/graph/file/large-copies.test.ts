import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { announceCopy, onLargeCopy, placeWeights } from '../../../../src/graph/file/place-weights';
import { graphFolderOf } from '../../../../src/training/run/open-run';
import { scratchFolder } from '../../../scratch';

const folder = scratchFolder('copies');
const model = join(folder, 'model.onnx');
writeFileSync(model, '');

/** A folder on another file system, which this one cannot link to. */
const other = ['/dev/shm', '/var/tmp'].find((f) => existsSync(f) && statSync(f).dev !== statSync(folder).dev);

const experiment = { model: { path: model, tokenizer: '', maxLength: 128 } };

/** Gives the model a size, which takes no space. */
const grow = (bytes: number) => truncateSync(model, bytes);

describe.runIf(other !== undefined)('a large model on another file system than the run', () => {
  const elsewhere = other === undefined ? folder : mkdtempSync(join(other, 'aurora-copies-'));
  afterAll(() => rmSync(elsewhere, { recursive: true, force: true }));

  it('is announced before it is copied, with its size; a small one is not', () => {
    const told: string[] = [];
    const untold = onLargeCopy((message) => told.push(message));
    grow(1.2e9);
    announceCopy(model, join(elsewhere, '0-model.onnx'));
    grow(1e6);
    announceCopy(model, join(elsewhere, '0-model.onnx'));
    untold();
    grow(1.2e9);
    announceCopy(model, join(elsewhere, '0-model.onnx'));
    expect(told).toEqual([expect.stringContaining(`${model} (1.2 GB) is copied to ${elsewhere}`)]);
  });

  it('is refused without enough free space, and nothing is copied', () => {
    grow(4e12);
    const to = join(elsewhere, '0-model.onnx');
    expect(() => placeWeights(model, to)).toThrow(
      expect.objectContaining({
        kind: 'disk',
        message: expect.stringMatching(/4\.0 TB.*are free/) as string,
      }),
    );
    expect(existsSync(to)).toBe(false);
  });

  it('has the graphs of a run beside it, with its weights linked', () => {
    grow(2e9);
    const run = join(elsewhere, 'run');
    mkdirSync(run);
    const graphs = graphFolderOf(run, experiment);
    expect(dirname(graphs)).toBe(folder);
    placeWeights(model, join(graphs, '0-model.onnx'));
    expect(statSync(join(graphs, '0-model.onnx')).size).toBe(2e9);
    grow(1e6);
    expect(graphFolderOf(run, experiment)).toBe(join(run, 'graph'));
  });

  it('of a pipeline has its graphs beside the U-Net', () => {
    const pipeline = join(folder, 'pipeline');
    const run = join(elsewhere, 'run-of-pipeline');
    for (const made of [join(pipeline, 'unet'), run]) mkdirSync(made, { recursive: true });
    for (const file of ['model_index.json', 'unet/diffusion_pytorch_model.safetensors'])
      writeFileSync(join(pipeline, file), '');
    const of = { model: { ...experiment.model, path: join(pipeline, 'model_index.json') } };
    expect(graphFolderOf(run, of)).toBe(join(run, 'graph'));
    truncateSync(join(pipeline, 'unet/diffusion_pytorch_model.safetensors'), 2e9);
    expect(dirname(graphFolderOf(run, of))).toBe(join(pipeline, 'unet'));
  });

  it('has them in the run where both are on one file system', () => {
    grow(2e9);
    const graphs = graphFolderOf(folder, experiment);
    expect(graphs).toBe(join(folder, 'graph'));
  });
});

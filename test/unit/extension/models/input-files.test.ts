import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inputFilesOf, inputFindings } from '../../../../src/extension/language/checks/check-inputs';
import { ExperimentText } from '../../../../src/runs/experiment/experiment-text';
import { startProgram } from '../../../../src/executors/local/program';
import { InputFiles } from '../../../../src/extension/models/input-files';
import { covered, experiment, makeFolder, FIXTURE } from '../language/lab';

const ROOT = join(import.meta.dirname, '../../../..');
const TOKENIZER = join(ROOT, 'demo/models/debian-llama/tokenizer.json');

/** The built program, and how often it was started. */
function program() {
  const started: string[][] = [];
  const run = (args: readonly string[]) => {
    started.push([...args]);
    return startProgram({
      node: process.execPath,
      args: [join(ROOT, 'dist/cli.cjs'), ...args],
      env: process.env,
    }).ended;
  };
  return { started, trainer: { program: run } as never };
}

const log = { warn: () => undefined };
const model = () =>
  makeFolder({ 'm/model.onnx': readFileSync(FIXTURE), 'm/tokenizer.json': readFileSync(TOKENIZER) });

describe('the tokenizer of an experiment', () => {
  it('is marked where it cannot be used, in the words of a run, until it is corrected', async () => {
    const folder = model();
    const { trainer, started } = program();
    const files = new InputFiles(trainer, log);
    const doc = new ExperimentText(join(folder, 'x.aurora.json'), experiment());
    const found = async () => inputFindings(doc, await files.unusable(await inputFilesOf(doc)), [folder]);
    expect(await found()).toEqual([]);
    const tokenizer = join(folder, 'm/tokenizer.json');
    const whole = JSON.parse(readFileSync(TOKENIZER, 'utf8')) as { model: object };
    writeFileSync(tokenizer, JSON.stringify({ ...whole, model: { ...whole.model, type: 'WordLevel' } }));
    const [finding, ...others] = await found();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({ severity: 'error', code: 'tokenizer-unusable' });
    expect(finding!.message).toMatch(/tokenizer\.json: the tokenizer model "WordLevel" is not supported\./);
    expect(finding!.message).not.toContain(folder);
    expect(covered(doc.text, finding!)).toBe('"m/model.onnx"');
    // Known without starting another process.
    const before = started.length;
    expect(files.cached(await inputFilesOf(doc))).toHaveLength(1);
    expect(await found()).toHaveLength(1);
    expect(started).toHaveLength(before);
    copyFileSync(TOKENIZER, tokenizer);
    expect(await found()).toEqual([]);
  });

  it('is not blamed if the program cannot run, and is checked again', async () => {
    const folder = model();
    const fails = { program: () => Promise.reject(new Error('There is no Node.')) } as never;
    const doc = new ExperimentText(join(folder, 'x.aurora.json'), experiment());
    const inputs = await inputFilesOf(doc);
    expect(inputs).toMatchObject([{ kind: 'tokenizer' }]);
    const files = new InputFiles(fails, log);
    expect(await files.unusable(inputs)).toEqual([]);
    expect(files.cached(inputs)).toEqual([]);
  });

  it('is not read for a task on images, whose preprocessor is', async () => {
    const folder = makeFolder({
      'm/model.onnx': '',
      'm/tokenizer.json': 'x',
      'm/preprocessor_config.json': '{"size": -1}',
    });
    const text = experiment().replace('"model"', '"task": { "type": "image-classification" },\n  "model"');
    const doc = new ExperimentText(join(folder, 'x.aurora.json'), text);
    const { trainer } = program();
    const unusable = await new InputFiles(trainer, log).unusable(await inputFilesOf(doc));
    expect(unusable).toMatchObject([
      { kind: 'preprocessor', error: { kind: 'model', message: expect.stringContaining('size') as string } },
    ]);
  });
});

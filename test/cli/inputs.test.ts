import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { readInputs } from '../../src/runs/inputs';
import { runPaths } from '../../src/runs/layout';
import { readRun } from '../read-run';
import { Lab, warnings } from './lab';

// Evaluations at 10 and 20, additional checkpoints at 3, 6, …; 24 steps in total.
const lab = new Lab({ training: { epochs: 2 } });
afterAll(() => lab.remove());

const FILES = ['model.onnx', 'tokenizer.json', 'tokenizer_config.json', 'train.jsonl', 'validation.jsonl'];
const originals = new Map(FILES.map((name) => [name, readFileSync(lab.path(name))]));
afterEach(() => {
  for (const [name, bytes] of originals) writeFileSync(lab.path(name), bytes);
  for (const name of ['config.json', 'chat_template.jinja']) rmSync(lab.path(name), { force: true });
});

const sum = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const events = (run: string) => readRun(run).events;
const accepted = (run: string) => events(run).filter((e) => e.kind === 'inputs-accepted');

/** A run that stopped at step 10 with a checkpoint. */
function stopped(name: string, ...set: string[]): string {
  const out = lab.path(`runs-${name}`);
  const r = lab.run('train', lab.experiment, '--out', out, '--pause-at', 'step:10', ...set);
  expect([r.code, r.err]).toEqual([130, expect.anything()]);
  return lab.runs(out)[0];
}
const text = (name: string) => originals.get(name)!.toString('utf8');
const flippedLabel = () => text('train.jsonl').replace('"label":"pets"', '"label":"other"');
const removedRow = () => text('train.jsonl').split('\n').slice(1).join('\n');
const reversed = () => `${text('train.jsonl').trim().split('\n').reverse().join('\n')}\n`;
const changedToken = () => text('tokenizer.json').replace('"cats"', '"dogs"');
function otherWeights(): Buffer {
  const bytes = Buffer.from(originals.get('model.onnx')!);
  // The middle of the file contains weights.
  for (let i = 0; i < 64; i++) bytes[Math.floor(bytes.length / 2) + i] ^= 1;
  return bytes;
}

describe('a run', () => {
  it('records the hash of each input file before its first checkpoint', () => {
    const run = stopped('recorded');
    const { files, since } = readInputs(run)!;
    expect(since).toBe(0);
    const found = files.map((f) => [f.role, basename(f.path), f.sha256]);
    const of = (name: string) => sum(originals.get(name)!);
    expect(found).toEqual([
      ['model', 'model.onnx', of('model.onnx')],
      ['train', 'train.jsonl', of('train.jsonl')],
      ['validation', 'validation.jsonl', of('validation.jsonl')],
      ['tokenizer', 'tokenizer.json', of('tokenizer.json')],
      ['tokenizer', 'config.json', null],
      ['tokenizer', 'chat_template.jinja', null],
      ['tokenizer', 'tokenizer_config.json', of('tokenizer_config.json')],
    ]);
  });
});

describe('a resume', () => {
  const run = stopped('kept');
  const before = readFileSync(runPaths(run).events);

  it.each([
    ['a flipped label', 'train.jsonl', flippedLabel, /The training data .+train\.jsonl have changed/],
    ['a removed row', 'train.jsonl', removedRow, /The training data .+train\.jsonl have changed/],
    ['reversed rows', 'train.jsonl', reversed, /The training data .+train\.jsonl have changed/],
    ['a removed validation row', 'validation.jsonl', removedRow, /The validation data .+ have changed/],
    ['a changed token', 'tokenizer.json', changedToken, /The tokenizer file .+tokenizer\.json has changed/],
    [
      'an additional tokenizer file',
      'config.json',
      () => '{}',
      /The tokenizer file .+config\.json did not exist/,
    ],
    [
      'a chat template that was not there',
      'chat_template.jinja',
      () => '{{ messages }}',
      /The tokenizer file .+chat_template\.jinja did not exist/,
    ],
    ['changed weights', 'model.onnx', otherWeights, /The model .+model\.onnx has changed/],
  ])('rejects %s, names the file and does not touch the run', (_, name, make, words) => {
    const made = make();
    expect(originals.get(name)?.equals(Buffer.from(made))).not.toBe(true);
    writeFileSync(lab.path(name), made);
    const r = lab.run('train', '--resume', run);
    expect([r.code, r.err]).toEqual([25, expect.stringMatching(words)]);
    expect(r.err).toContain('--accept-changed-inputs');
    expect(readFileSync(runPaths(run).events)).toEqual(before);
  });

  it('rejects missing files, each by name', () => {
    for (const name of ['train.jsonl', 'tokenizer.json']) rmSync(lab.path(name));
    const r = lab.run('train', '--resume', run);
    expect(r.code).toBe(25);
    expect(r.err).toMatch(/The tokenizer file .+tokenizer\.json is missing\./);
    expect(r.err).toMatch(/The training data .+train\.jsonl are missing\./);
  });

  it('rejects a fork on changed files and creates none', () => {
    writeFileSync(lab.path('train.jsonl'), reversed());
    const r = lab.run('train', '--fork', run, '--at', '9');
    expect([r.code, r.err]).toEqual([25, expect.stringContaining('train.jsonl have changed')]);
    expect(lab.runs(join(run, '..'))).toHaveLength(1);
  });

  it('continues if the files were only touched or replaced by equal ones', () => {
    for (const [name, bytes] of originals) {
      rmSync(lab.path(name));
      writeFileSync(lab.path(name), bytes);
    }
    const r = lab.run('train', '--resume', run);
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('Resuming at step 10')]);
    expect(accepted(run)).toEqual([]);
  });
});

describe('--accept-changed-inputs', () => {
  it('continues and records the files, both hashes and the counts in the journal', () => {
    const run = stopped('accepted');
    writeFileSync(lab.path('train.jsonl'), removedRow());
    const r = lab.run('train', '--resume', run, '--accept-changed-inputs');
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('train.jsonl have changed')]);
    expect(accepted(run)).toEqual([
      expect.objectContaining({
        step: 10,
        files: [
          {
            role: 'train',
            path: lab.path('train.jsonl'),
            before: sum(originals.get('train.jsonl')!),
            after: sum(Buffer.from(removedRow())),
          },
        ],
        trainExamples: 95,
        validationExamples: 24,
      }),
    ]);
    const { since, files, earlier } = readInputs(run)!;
    expect(since).toBe(10);
    expect(files.find((f) => f.role === 'train')?.sha256).toBe(sum(Buffer.from(removedRow())));
    expect(earlier).toHaveLength(1);
    expect(earlier![0].files.find((f) => f.role === 'train')?.sha256).toBe(
      sum(originals.get('train.jsonl')!),
    );
    // An earlier fork that started with the original files.
    const fork = lab.run('train', '--fork', run, '--at', '6');
    expect([fork.code, fork.err]).toEqual([25, expect.stringContaining('train.jsonl have changed')]);
  });

  it('is required by a resume that starts from before the files were changed', () => {
    const run = stopped('before');
    writeFileSync(lab.path('train.jsonl'), removedRow());
    const later = lab.run('train', '--resume', run, '--accept-changed-inputs', '--pause-at', 'step:20');
    expect([later.code, later.err]).toEqual([130, expect.anything()]);
    const { checkpoints } = runPaths(run);
    for (const name of readdirSync(checkpoints))
      if (name > 'step-000009') writeFileSync(join(checkpoints, name, 'adapter.safetensors'), 'damaged');
    const r = lab.run('train', '--resume', run);
    expect([r.code, r.err]).toEqual([25, expect.stringContaining('--accept-changed-inputs')]);
    const again = lab.run('train', '--resume', run, '--accept-changed-inputs');
    expect([again.code, again.err]).toEqual([0, expect.stringContaining('Resuming at step 9')]);
    expect(accepted(run).map((e) => e.step)).toEqual([9]);
    expect(readInputs(run)).toMatchObject({ since: 9, earlier: [{ since: 0 }] });
  });

  it('reports a changed split if validation is a fraction of the changed file', () => {
    const data = `data=${JSON.stringify({ train: lab.path('train.jsonl'), validationFraction: 0.25 })}`;
    const run = stopped('split', '--set', data);
    writeFileSync(lab.path('train.jsonl'), removedRow());
    expect(lab.run('train', '--resume', run).code).toBe(25);
    const r = lab.run('train', '--resume', run, '--accept-changed-inputs');
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('drawn again from the changed file')]);
    expect(warnings(run).some((w) => w.includes('data.validationFraction'))).toBe(true);
  });

  it('requires a resume or a fork', () => {
    expect(lab.run('train', lab.experiment, '--accept-changed-inputs').code).toBe(2);
  });
});

describe('a run whose record of inputs was removed', () => {
  it('resumes with a warning and records them from then on', () => {
    const run = stopped('unrecorded');
    rmSync(runPaths(run).inputs);
    const r = lab.run('train', '--resume', run);
    expect([r.code, r.err]).toEqual([0, expect.stringContaining('up to step 10 were not recorded')]);
    expect(readInputs(run)?.since).toBe(10);
    expect(existsSync(runPaths(run).result)).toBe(true);
  });
});

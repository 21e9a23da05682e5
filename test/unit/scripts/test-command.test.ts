import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { testRequest } from '../../../scripts/lib/test-request.mjs';
import { partLine, partsTable } from '../../../scripts/lib/test-summary.mjs';
import { QUICK, QUICK_WORKBENCH, quickFiles, testFiles } from '../../quick.mjs';
import config from '../../../vitest.config.mjs';

const NAMES = ['lint', 'unit', 'cli'];

describe('the arguments of npm test', () => {
  it.each([
    [[], { tiers: NAMES, filters: [], quick: true }],
    [['--all'], { tiers: NAMES, filters: [], quick: false }],
    [['unit'], { tiers: ['unit'], filters: [], quick: false }],
    [['cli', 'train', 'resume'], { tiers: ['cli'], filters: ['train', 'resume'], quick: false }],
    [['cli', '--all'], { tiers: ['cli'], filters: [], quick: false }],
  ])('%j', (args, request) => expect(testRequest(args, NAMES)).toEqual(request));

  it.each([
    [['--al'], 'option "--al"'],
    [['unit', '-t', 'title'], 'option "-t"'],
    [['train'], 'tier "train"'],
  ])('%j is refused with all that is possible', (args, wrong) => {
    const refused = () => testRequest(args, NAMES);
    expect(refused).toThrow(`Unknown ${wrong}.`);
    expect(refused).toThrow('npm test -- --all');
    expect(refused).toThrow('Tiers: lint, unit, cli.');
  });
});

describe('the summary of npm test', () => {
  const unit = { tier: 'unit', passed: 6900, failures: [], skipped: 8, seconds: 131.6 };
  const cli = { tier: 'cli', passed: 99, failures: ['train > ends'], skipped: 0, seconds: 88.2 };

  it('names a tier with its numbers and its time', () => {
    expect(partLine(unit)).toBe('unit: 6900 passed, 0 failed, 8 skipped in 132 s');
    expect(partLine(cli)).toBe('cli: 99 passed, 1 failed in 88 s');
  });

  it('has a row for each tier and one for all, whose time includes the build', () => {
    expect(
      partsTable([unit, cli], 231)
        .split('\n')
        .map((line) => line.split(/ +/)),
    ).toEqual([
      ['Tier', 'Passed', 'Failed', 'Skipped', 'Seconds'],
      ['unit', '6900', '0', '8', '132'],
      ['cli', '99', '1', '0', '88'],
      ['total', '6999', '1', '8', '231'],
    ]);
  });
});

describe('the quick selection', () => {
  const tiers = Object.keys(QUICK);

  it('has every tier of tests', () => {
    const folders = config.test!.projects!.flatMap((project) =>
      (project as { test: { include: string[] } }).test.include.flatMap(
        (glob) => /^test\/(\w+)\/\*\*/.exec(glob)?.[1] ?? [],
      ),
    );
    expect(tiers.toSorted()).toEqual([...new Set(folders)].toSorted());
  });

  it.each(tiers)('of %s names files that exist, each once, and leaves some to run', (tier) => {
    const files = testFiles(tier);
    const { only, allBut } = QUICK[tier];
    const named = only ?? allBut!;
    expect(named.filter((name) => !files.includes(name))).toEqual([]);
    expect(new Set(named).size).toBe(named.length);
    expect(quickFiles(tier).length).toBe(only ? only.length : files.length - named.length);
    expect(quickFiles(tier).length).toBeGreaterThan(0);
  });

  it('starts one version of VS Code', () => {
    const started = QUICK.vscode.only!.flatMap((name) => [
      ...readFileSync(`test/vscode/${name}.test.ts`, 'utf8').matchAll(/version: '([\d.]+)'/g),
    ]);
    expect(new Set(started.map((match) => match[1]))).toEqual(new Set([QUICK_WORKBENCH]));
  });
});

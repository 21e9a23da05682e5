import { mkdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Lab } from './lab';

const lab = new Lab();
afterAll(() => lab.remove());

describe('help', () => {
  it('of a command is printed by `aurora help` and by its --help', () => {
    const { out, code } = lab.run('help', 'train');
    expect(code).toBe(0);
    expect(out).toBe(lab.run('train', '--help').out);
    expect(lab.run('help').out).toContain('Usage: aurora <command>');
    expect(lab.run('help', 'trian')).toMatchObject({ code: 2, err: expect.stringContaining('"train"') });
  });
});

describe('with --json', () => {
  it.each([
    [2, 'usage', 'trian'],
    [2, 'usage', 'train'],
    [2, 'usage', 'runs', '--sorted', 'x'],
    [3, 'experiment', 'train', 'none.aurora.json'],
    [3, 'experiment', 'preflight', 'none.aurora.json'],
    [3, 'experiment', 'sweep', 'none.aurora.json'],
    [2, 'usage', 'export', 'none', '--out', 'there'],
    [20, 'run', 'export', 'none', '--as', 'safetensors', '--out', 'there'],
    [20, 'run', 'errors', 'none'],
    [20, 'run', 'runs', 'none'],
    [2, 'usage', 'gpu', 'check', 'none'],
    [2, 'usage', 'budget'],
    [2, 'usage', 'get'],
  ])('an error is also a line of JSON: exit code %i, %s of %s', (code, kind, ...args) => {
    const { out, err, code: ended } = lab.run(...(args as string[]), '--json');
    // Some commands also have a line of their own for it.
    const { error } = JSON.parse(out.trimEnd().split('\n').at(-1)!) as { error: Record<string, unknown> };
    expect(error).toMatchObject({ kind, code, message: expect.any(String) });
    expect(ended).toBe(code);
    expect(err).toContain(`error: ${error.message as string}`);
  });

  it('a folder without runs is an empty table', () => {
    const folder = lab.fresh('empty');
    mkdirSync(folder);
    const { out, code } = lab.run('runs', folder, '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ rows: [], unreadable: [] });
    expect(lab.run('runs', folder, '--json', '--group-by', 'state')).toMatchObject({ code: 0 });
    expect(lab.run('runs', folder).err).toContain('There are no runs in');
  });
});

it('get with a name alone gets that model', () => {
  const offline = { HF_HUB_OFFLINE: '1', HF_HUB_CACHE: lab.path('cache') };
  Object.assign(process.env, offline);
  const { err } = lab.run('get', 'roberta-base');
  for (const name of Object.keys(offline)) delete process.env[name];
  expect(err).toContain('roberta-base');
  expect(err).toMatch(/HF_HUB_OFFLINE|not in the cache/);
});

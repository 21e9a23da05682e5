import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRun, runPaths } from '../../../src/runs/layout';
import { changeUser, readUser, writeUser } from '../../../src/runs/user';
import { temporaryFolders } from './folder';

const folder = temporaryFolders();

describe("the user's name, star, note and tags for a run", () => {
  it('can be changed one at a time', () => {
    const run = createRun(folder());
    expect(readUser(run)).toEqual({});
    changeUser(run, { name: ' rank 8 ' });
    changeUser(run, { star: true });
    changeUser(run, { note: 'first line\nsecond' });
    changeUser(run, { tags: ['baseline', ' paper', '', 'paper '] });
    expect(readUser(run)).toEqual({
      name: 'rank 8',
      star: true,
      note: 'first line\nsecond',
      tags: ['baseline', 'paper'],
    });
  });

  it('are removed from the file when cleared', () => {
    const run = createRun(folder());
    writeUser(run, { name: 'a', note: 'b', star: true, tags: ['c'] });
    changeUser(run, { name: '', note: ' ', star: false, tags: [] });
    expect(JSON.parse(readFileSync(runPaths(run).user, 'utf8'))).toEqual({});
  });

  it('are ignored if they have the wrong type', () => {
    const run = createRun(folder());
    for (const text of ['null', '[]', '{"name":7,"star":"yes","note":{},"tags":[3]}']) {
      writeFileSync(runPaths(run).user, text);
      expect(readUser(run)).toEqual({});
    }
  });

  it('are reported if the file is damaged, and the next change replaces it', () => {
    const run = createRun(folder());
    writeFileSync(runPaths(run).user, '{"name":');
    expect(() => readUser(run)).toThrow(runPaths(run).user);
    changeUser(run, { name: 'again' });
    expect(readUser(run)).toEqual({ name: 'again' });
  });
});

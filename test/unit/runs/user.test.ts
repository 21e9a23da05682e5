import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRun, runPaths } from '../../../src/runs/layout';
import { changeUser, readUser, writeUser } from '../../../src/runs/user';
import { temporaryFolders } from './folder';

const folder = temporaryFolders();

describe('the person’s words on a run', () => {
  it('changes one and keeps the others', () => {
    const run = createRun(folder());
    expect(readUser(run)).toEqual({});
    changeUser(run, { name: ' rank 8 ' });
    changeUser(run, { star: true });
    changeUser(run, { note: 'first line\nsecond' });
    expect(readUser(run)).toEqual({ name: 'rank 8', star: true, note: 'first line\nsecond' });
  });

  it('leaves out what was taken back', () => {
    const run = createRun(folder());
    writeUser(run, { name: 'a', note: 'b', star: true });
    changeUser(run, { name: '', note: ' ', star: false });
    expect(JSON.parse(readFileSync(runPaths(run).user, 'utf8'))).toEqual({});
  });

  it('passes over what is not of its type', () => {
    const run = createRun(folder());
    for (const text of ['null', '[]', '{"name":7,"star":"yes","note":{}}']) {
      writeFileSync(runPaths(run).user, text);
      expect(readUser(run)).toEqual({});
    }
  });

  it('names a damaged file, and mends it with the next change', () => {
    const run = createRun(folder());
    writeFileSync(runPaths(run).user, '{"name":');
    expect(() => readUser(run)).toThrow(runPaths(run).user);
    changeUser(run, { name: 'again' });
    expect(readUser(run)).toEqual({ name: 'again' });
  });
});

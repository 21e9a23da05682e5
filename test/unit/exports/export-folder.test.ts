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
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StagedFolder } from '../../../src/exports/staged-folder';

describe('the folder of an export', () => {
  let lab: string;
  let target: string;
  beforeEach(() => {
    lab = mkdtempSync(join(tmpdir(), 'aurora-folder-'));
    target = join(lab, 'exported');
  });
  afterEach(() => rmSync(lab, { recursive: true, force: true }));

  /** Writes an export with a single file, identified by its text. */
  function written(text: string): void {
    const staged = new StagedFolder(target);
    fill(staged, text);
    staged.commit();
  }
  function fill(staged: StagedFolder, text: string): void {
    mkdirSync(join(staged.path, 'deep'));
    writeFileSync(join(staged.path, 'deep/model.onnx'), text);
    const record = { program: 'aurora-lab', files: staged.sums() };
    writeFileSync(join(staged.path, 'export.json'), JSON.stringify(record));
  }
  const text = () => readFileSync(join(target, 'deep/model.onnx'), 'utf8');
  const refusal = (why: string) => expect.objectContaining({ kind: 'usage', message: `${target} ${why}` });
  function refused(why: string): void {
    const message = refusal(`already exists and ${why}.`);
    expect(() => new StagedFolder(target)).toThrow(message);
  }

  it('is replaced by a newer export, even with files of a file manager in it', () => {
    written('old');
    writeFileSync(join(target, 'deep/.DS_Store'), 'icons');
    written('new');
    expect(text()).toBe('new');
    expect(readdirSync(lab)).toEqual(['exported']);
  });

  it('may exist if it is empty', () => {
    mkdirSync(target);
    written('new');
    expect(text()).toBe('new');
  });

  it("must not contain anything of the user's", () => {
    writeFileSync(target, '');
    refused('is a file');
    rmSync(target);
    mkdirSync(join(target, 'src'), { recursive: true });
    writeFileSync(join(target, 'src/thesis.txt'), 'years of work');
    refused('is not an AuroRA Lab export');
    for (const own of [
      '{"my":"settings"}',
      'null',
      '{',
      '{"program":"other","files":{"src/thesis.txt":""}}',
    ]) {
      writeFileSync(join(target, 'export.json'), own);
      refused('is not an AuroRA Lab export');
    }
    expect(readFileSync(join(target, 'src/thesis.txt'), 'utf8')).toBe('years of work');
  });

  it('is kept if the user has added or changed a file', () => {
    written('old');
    writeFileSync(join(target, 'notes.md'), 'mine');
    refused('contains notes.md, which was not exported');
    rmSync(join(target, 'notes.md'));
    writeFileSync(join(target, 'deep/model.onnx'), 'quantized by hand');
    refused('contains deep/model.onnx, which has changed since it was exported');
    // Also if that happens while the new export is being made.
    rmSync(target, { recursive: true });
    const staged = new StagedFolder(target);
    fill(staged, 'new');
    mkdirSync(target);
    writeFileSync(join(target, 'notes.md'), 'mine');
    expect(() => staged.commit()).toThrow(refusal('already exists and is not an AuroRA Lab export.'));
    staged.discard();
    expect(readdirSync(lab)).toEqual(['exported']);
  });

  it('is kept if the new export cannot be moved into place', () => {
    written('old');
    const staged = new StagedFolder(target);
    rmSync(staged.path, { recursive: true });
    expect(() => staged.commit()).toThrow();
    expect(text()).toBe('old');
    expect(existsSync(`${staged.path}.old`)).toBe(false);
  });
});

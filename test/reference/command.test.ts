import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parse } from '../../src/cli/command';
import { reference } from '../../src/cli/commands/reference/reference';
import { fixture } from './files';

describe('aurora reference', () => {
  let folder: string;
  let printed: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'aurora-command-'));
    printed = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text, encoding, done?: () => void) => {
      printed += String(text);
      // The command waits until the text is out.
      (typeof encoding === 'function' ? encoding : done)?.();
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  const run = (...files: string[]): Promise<number> => reference.run(parse(reference, files, 'reference'));

  /** A copy of the table case with its text changed. */
  function changed(change: (text: string) => string): string {
    copyFileSync(fixture('more/table.onnx'), join(folder, 'table.onnx'));
    const path = join(folder, 'changed.json');
    writeFileSync(path, change(readFileSync(fixture('more/table.json'), 'utf8')));
    return path;
  }

  it('exits with 0 and a summary if all files agree', async () => {
    expect(await run(fixture('more/table.json'), fixture('anl.json'))).toBe(0);
    expect(printed).toContain('2 of 2 files agree');
  });

  it('runs on TensorFlow.js, and rejects a device of ONNX Runtime', async () => {
    const files = [fixture('more/table.json'), fixture('anl.json')];
    expect(await run('--engine', 'tfjs', '--device', 'wasm', ...files)).toBe(0);
    expect(printed).toContain('2 of 2 files agree');
    await expect(run('--engine', 'tfjs', '--device', 'cuda', ...files)).rejects.toMatchObject({
      kind: 'usage',
      hint: expect.stringContaining('--engine onnxruntime') as string,
    });
  });

  it('exits with 1, names the field and runs the other files', async () => {
    const path = changed((text) => text.replace(/"finalLoss":[^,}]+/, '"finalLoss":0.5'));
    expect(await run(path, fixture('more/table.json'))).toBe(1);
    expect(printed).toMatch(/FAIL changed\.json/);
    expect(printed).toContain('adamw.finalLoss');
    expect(printed).toContain('1 of 2 files agree');
  });

  it('names the field of a NaN, which Python writes but JSON does not allow', async () => {
    expect(await run(changed((text) => text.replace(/"loss":[^,}]+/, '"loss":NaN')))).toBe(1);
    expect(printed).toMatch(/ {5}loss: missing or not finite/);
  });

  it('fails a file with targets that match nothing and continues', async () => {
    const path = changed((text) => text.replace(/"targets":\[[^\]]*\]/, '"targets":["nowhere"]'));
    expect(await run(path, fixture('more/table.json'))).toBe(1);
    expect(printed).toContain('matched none of');
    expect(printed).toContain('1 of 2 files agree');
  });
});

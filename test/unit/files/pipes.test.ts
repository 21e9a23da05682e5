import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { readImage } from '../../../src/data/images/decode-image';
import { readRows } from '../../../src/data/table/rows';
import { readDataHead } from '../../../src/extension/language/data-head';
import { hashFileNow } from '../../../src/files/hash';
import { openInput, readInput, readInputLater } from '../../../src/files/inputs/open';
import { readStoredText } from '../../../src/files/read';
import { loadModel } from '../../../src/graph/file/load';
import { readSafetensors } from '../../../src/graph/file/safetensors';
import { scratchFolder } from '../../scratch';

const folder = scratchFolder('pipes');
let writer: ChildProcess | undefined;

afterEach(() => writer?.kill());

/** A pipe that somebody writes to: a reader that opens it after all does not wait for ever, but gets text. */
function pipe(name: string): string {
  const path = join(folder, name);
  execFileSync('mkfifo', [path]);
  writer = spawn('timeout', ['60', 'sh', '-c', `printf 'text,label\\na,b\\n' > "$0"`, path]);
  return path;
}

describe.skipIf(process.platform === 'win32')('a pipe in place of a file', () => {
  it.each<[string, string, (path: string) => unknown]>([
    ['an input', 'input', (path) => closeSync(openInput(path, 'data'))],
    ['an input that is read', 'read', (path) => readInput(path, 'data')],
    ['an input that is read later', 'later', (path) => readInputLater(path, 'data')],
    ['a text of the editor', 'x.aurora.json', readStoredText],
    ['a data file in the editor', 'head.csv', readDataHead],
    ['a data file in the trainer', 'rows.csv', (path) => readRows(path, { textColumn: 'text', labelColumn: 'label', onBadRow: 'fail' })], // prettier-ignore
    ['an image', 'image.png', readImage],
    ['a model', 'model.onnx', loadModel],
    ['a file of weights', 'adapter.safetensors', readSafetensors],
    ['a file that is hashed', 'hashed', (path) => hashFileNow(path)],
  ])('is refused at once as %s', async (_, name, read) => {
    const path = pipe(name);
    const open = async (): Promise<unknown> => read(path);
    await expect(open()).rejects.toThrow(/not a (regular )?file/);
  });

  it('is refused behind a link, and so is a device', () => {
    const link = join(folder, 'link.csv');
    symlinkSync(pipe('behind.csv'), link);
    expect(() => readInput(link, 'data')).toThrow('it is not a regular file');
    expect(() => readInput('/dev/zero', 'data')).toThrow('it is not a regular file');
  });
});

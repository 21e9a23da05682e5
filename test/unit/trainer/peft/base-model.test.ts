import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { baseModel } from '../../../../src/trainer/peft/base-model';

const root = mkdtempSync(join(tmpdir(), 'aurora-base-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let count = 0;

/** What is detected about a model with these files next to it. */
function found(files: Record<string, string>) {
  const folder = join(root, `model-${count++}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return baseModel(join(folder, 'model.onnx'));
}

describe('what lies beside a model', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    [
      'a model card',
      { 'README.md': '---\r\nlanguage: en\r\nlicense: "cc-by-nc-4.0"\r\n---\r\n# X' },
      'cc-by-nc-4.0',
    ],
    [
      'a model card before all else',
      { 'README.md': '---\nlicense: mit\n---\n', 'config.json': '{"license":"x"}' },
      'mit',
    ],
    ['its config.json', { 'config.json': '{"license":"Apache-2.0"}' }, 'Apache-2.0'],
    [
      'Apache',
      { LICENSE: '                Apache License\n          Version 2.0, January 2004' },
      'apache-2.0',
    ],
    [
      'MIT without its name',
      { 'license.txt': 'Copyright X\n\nPermission is hereby granted, free\nof charge, to any' },
      'mit',
    ],
    ['a text that nobody knows', { COPYING: 'Ask me.' }, undefined],
    ['nothing', {}, undefined],
    ['a README that only talks of one', { 'README.md': '# Model\nlicense: mit\n' }, undefined],
  ])('says its licence by %s', (_, files, id) => {
    expect(found(files).license.id).toBe(id);
  });

  it('has the texts of licences, to go with an export', () => {
    const { license } = found({ LICENSE: 'x', 'NOTICE.txt': 'y', 'licensing.md': 'z', 'README.md': '' });
    expect(license.files).toEqual(['LICENSE', 'NOTICE.txt']);
  });

  it.each([
    ['bert-base-uncased', 'bert-base-uncased'],
    ['org/model.v2', 'org/model.v2'],
    ['/home/somebody/model', undefined],
    ['../model', undefined],
    ['C:\\models\\x', undefined],
    ['', undefined],
  ])('is called by config.json where that is a name, and never by a place: %s', (named, name) => {
    const base = found({ 'config.json': JSON.stringify({ _name_or_path: named }) });
    expect(base.name).toBe(name ?? `model-${count - 1}`);
  });

  it('is nothing that a link leads to elsewhere; but Hugging Face’s cache is made of links', () => {
    const secret = join(root, 'secret');
    writeFileSync(secret, '{"license":"mit"}');
    const folder = join(root, 'hub/snapshots/5f1');
    mkdirSync(folder, { recursive: true });
    mkdirSync(join(root, 'hub/blobs'));
    mkdirSync(join(folder, 'COPYING'));
    for (const name of ['LICENSE', 'config.json']) symlinkSync(secret, join(folder, name));
    expect(baseModel(join(folder, 'model.onnx'))).toEqual({
      name: '5f1',
      config: {},
      license: { id: undefined, files: [] },
    });
    const blob = join(root, 'hub/blobs/a1b2');
    writeFileSync(blob, '{"license":"apache-2.0"}');
    rmSync(join(folder, 'config.json'));
    symlinkSync('../../blobs/a1b2', join(folder, 'config.json'));
    expect(baseModel(join(folder, 'model.onnx')).license.id).toBe('apache-2.0');
  });

  it('is what it is where files are damaged or there is no such folder', () => {
    expect(found({ 'config.json': '{' }).config).toEqual({});
    expect(found({ 'config.json': '[1]' }).config).toEqual({});
    expect(baseModel('/nowhere/at all/model.onnx')).toEqual({
      name: 'at all',
      config: {},
      license: { id: undefined, files: [] },
    });
  });
});

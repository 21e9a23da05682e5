import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { baseModel } from '../../../src/peft/base-model';
import { scratchFolder } from '../../scratch';

const root = scratchFolder('base');
let count = 0;

/** The base model found for a model with these files beside it. */
function found(files: Record<string, string>) {
  const folder = join(root, `model-${count++}`);
  mkdirSync(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return baseModel(join(folder, 'model.onnx'));
}

describe('the base model of an export', () => {
  it.each<[string, Record<string, string>, string | undefined]>([
    [
      'a model card',
      { 'README.md': '---\r\nlanguage: en\r\nlicense: "cc-by-nc-4.0"\r\n---\r\n# X' },
      'cc-by-nc-4.0',
    ],
    [
      'a model card, which takes precedence',
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
      'the MIT text without its name',
      { 'license.txt': 'Copyright X\n\nPermission is hereby granted, free\nof charge, to any' },
      'mit',
    ],
    ['an unknown license text', { COPYING: 'Ask me.' }, undefined],
    ['nothing', {}, undefined],
    ['a README without front matter', { 'README.md': '# Model\nlicense: mit\n' }, undefined],
  ])('takes its license from %s', (_, files, id) => {
    expect(found(files).license.id).toBe(id);
  });

  it('comes with its license files', () => {
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
  ])('takes its name from config.json unless it is a path: %s', (named, name) => {
    const base = found({ 'config.json': JSON.stringify({ _name_or_path: named }) });
    expect(base.name).toBe(name ?? `model-${count - 1}`);
  });

  it("ignores links that lead elsewhere, except in Hugging Face's cache", () => {
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

  it('has defaults if files are damaged or the folder is missing', () => {
    expect(found({ 'config.json': '{' }).config).toEqual({});
    expect(found({ 'config.json': '[1]' }).config).toEqual({});
    expect(baseModel('/nowhere/at all/model.onnx')).toEqual({
      name: 'at all',
      config: {},
      license: { id: undefined, files: [] },
    });
  });

  it('of the hub’s cache is its repository at its commit, whatever config.json says', () => {
    const commit = '0123456789abcdef0123456789abcdef01234567';
    const folder = join(root, 'models--FacebookAI--roberta-base', 'snapshots', commit);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'config.json'), '{ "_name_or_path": "someone/else" }');
    const base = baseModel(join(folder, 'config.json'));
    expect(base).toMatchObject({ name: 'FacebookAI/roberta-base', revision: commit });
    expect(found({ 'config.json': '{ "_name_or_path": "someone/else" }' })).not.toHaveProperty('revision');
  });
});

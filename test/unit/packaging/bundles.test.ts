import { readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { basename, join } from 'node:path';
import type { ValidateFunction } from 'ajv';
import type { Metafile } from 'esbuild';
import { beforeAll, describe, expect, test } from 'vitest';
import { IS_PART, loadedAtActivation } from '../../../scripts/lib/extension-bundle.mjs';
import { bundlePackaged } from '../../../scripts/lib/package/stage.mjs';
import { PURE } from '../../../scripts/lib/folders.mjs';
import { activationEvents, contributes } from '../../../package.json';
import texts from '../../../package.nls.json';
import { schemaValidator } from '../../../src/runs/experiment/schema-validator';
import { scratchFolder } from '../../scratch';

/**
 * The size limits, in bytes as packaged. The descriptions of 27 methods take 5 KiB at activation, and their files 70 KiB in all:
 * the CodeLens, the wizard and the calculator count parameters by each method's own tensors, and a method is one file.
 * The pseudo-values by which studies, too, test a loss over tokens take 6 KiB.
 */
const ACTIVATION_LIMIT = 265 * 1024;
const HOST_LIMIT = 1026 * 1024;
const PAGE_LIMIT = 600 * 1024;
const NOT_PURE = new RegExp(`^src/(?!(${PURE.join('|')})/)`);
const folder = scratchFolder('bundles');
let host: Metafile;
let extension: Metafile;
let pages: Metafile;

beforeAll(async () => {
  [host, extension, pages] = await bundlePackaged(folder);
});

const bytes = (file: string) => statSync(join(folder, file)).size;
/** The modules of an output of which esbuild kept at least one byte. */
const inputs = (meta: Metafile, output: string) => {
  const [, found] = Object.entries(meta.outputs).find(([path]) => path.endsWith(output))!;
  return Object.entries(found.inputs)
    .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
    .map(([path]) => path);
};

describe("the extension host's code", () => {
  const files = () => Object.keys(extension.outputs).map((path) => basename(path));
  const sum = (names: string[]) => names.reduce((total, name) => total + bytes(name), 0);

  test(`loads at most ${ACTIVATION_LIMIT} bytes in two files at activation, and each module once`, () => {
    const loaded = loadedAtActivation(extension);
    expect(loaded).toHaveLength(2);
    expect(sum(loaded)).toBeLessThanOrEqual(ACTIVATION_LIMIT);
    // Parts must share modules: classes in a copy would be different ones.
    const modules = files().flatMap((file) => inputs(extension, file));
    expect(modules.length).toBeGreaterThan(300);
    expect(modules.filter((path, i) => modules.indexOf(path) !== i)).toEqual([]);
  });

  test(`is at most ${HOST_LIMIT} bytes in all, in extension.cjs and the parts beside it`, () => {
    expect(
      readdirSync(folder)
        .filter((file) => /^extension/.test(file))
        .sort(),
    ).toEqual(files().sort());
    expect(files().filter((file) => !IS_PART.test(file))).toEqual(['extension.cjs']);
    expect(sum(files())).toBeLessThanOrEqual(HOST_LIMIT);
  });

  test('contains nothing native, no model parser, no engine and no trainer', () => {
    const forbidden =
      /onnxruntime|@bufbuild\/protobuf|hyparquet|\.node$|src\/(engine|data|trainer|cli|demo|graph\/onnx)\//;
    const modules = files().flatMap((file) => inputs(extension, file));
    expect(modules.filter((path) => forbidden.test(path) || path.includes('/ajv/'))).toEqual([]);
  });

  test('leaves out what its files declare for package.json', () => {
    const declared = [
      ...Object.values(texts).filter((text) => text.length > 60),
      ...contributes.languageModelTools.map((tool) => tool.modelDescription),
    ];
    expect(declared.length).toBeGreaterThan(30);
    const code = files().map((file) => readFileSync(join(folder, file), 'utf8'));
    const kept = declared.filter((text) => code.some((part) => part.includes(text.slice(0, 50))));
    expect(kept).toEqual([]);
  });

  test('imports only VS Code and Node, and the validator at the first check', () => {
    const imports = Object.values(extension.outputs).flatMap((output) => output.imports);
    const outside = imports.filter((i) => i.external && i.path !== 'vscode' && !isBuiltin(i.path));
    expect(outside.map((i) => [i.path, i.kind])).toEqual([['./schema-validator.cjs', 'require-call']]);
  });
});

test.each([
  ['data-worker.cjs', []],
  // A run's settings are checked when they are read.
  ['study-worker.cjs', ['./schema-validator.cjs']],
])('%s, which the extension host starts, has no VS Code', (name, beside) => {
  const [, { imports }] = Object.entries(host.outputs).find(([path]) => path.endsWith(name))!;
  expect(imports.length).toBeGreaterThan(0);
  const outside = imports.map(({ path }) => path).filter((path) => !isBuiltin(path));
  expect(outside).toEqual(beside);
});

test('the validator of the schema, compiled in advance, finds the same problems as Ajv', () => {
  const ahead = createRequire(__filename)(join(folder, 'schema-validator.cjs')) as ValidateFunction;
  const whole = {
    model: { path: 'model.onnx' },
    task: { type: 'text-classification' },
    data: { train: 'train.csv' },
    adapter: { method: 'aurora' },
  };
  const wrong: object[] = [
    {},
    { ...whole, modle: {} },
    { ...whole, adapter: { method: 'lora', rank: 0, gridSize: 5 } },
    { ...whole, adapter: { method: 'loro' } },
    { ...whole, task: { type: 'sorting' }, training: { epochs: 'many', batchSize: 1.5, seed: -1 } },
    { ...whole, sweep: { parameters: [], trials: {} } },
  ];
  for (const value of [whole, ...wrong]) {
    const [here, there] = [structuredClone(value), structuredClone(value)];
    const justInTime = schemaValidator();
    expect(ahead(there)).toBe(justInTime(here));
    expect(there).toEqual(here);
    expect(ahead.errors).toEqual(justInTime.errors);
    if (value !== whole) expect(ahead.errors?.length).toBeGreaterThan(0);
  }
});

test.each([
  ['TensorFlow.js', 'tfjs.cjs', /@tensorflow\//],
  ['the packages that make requests', 'hub-packages.cjs', /node_modules\/(undici|@huggingface\/hub)\//],
  ['the Model Context Protocol', 'mcp-sdk.cjs', /node_modules\/(@modelcontextprotocol|zod)\//],
])('%s: a separate bundle, which no other program contains', (_, own, path) => {
  expect(inputs(host, own).some((input) => path.test(input))).toBe(true);
  for (const program of ['cli.cjs', 'pulse-worker.cjs', 'hash-worker.cjs'])
    expect(
      inputs(host, program).filter((input) => path.test(input)),
      program,
    ).toEqual([]);
  expect(Object.keys(extension.inputs).filter((input) => path.test(input))).toEqual([]);
});

describe('the pages', () => {
  const names = () => readdirSync(join(folder, 'webview')).filter((file) => file.endsWith('.js'));

  test(`are at most ${PAGE_LIMIT} bytes each`, () => {
    for (const name of names()) expect(bytes(`webview/${name}`), name).toBeLessThanOrEqual(PAGE_LIMIT);
  });

  test('are those of the panels', () =>
    expect(names().sort()).toEqual(
      activationEvents
        .flatMap((event) => /^onWebviewPanel:aurora\.(.+)$/.exec(event)?.[1] ?? [])
        .map((name) => `${name}.js`)
        .sort(),
    ));

  test('contain only host code that both sides share', () => {
    for (const name of names()) {
      const outside = inputs(pages, `webview/${name}`).filter((path) => NOT_PURE.test(path));
      expect(outside, name).toEqual([]);
    }
  });
});

test('no bundle has a source map', () =>
  expect(readdirSync(folder, { recursive: true }).filter((file) => String(file).endsWith('.map'))).toEqual(
    [],
  ));

import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { runAnlCases } from '../../src/cli/reference/anl-case';
import { readReference } from '../../src/cli/reference/case';
import { runModelCase } from '../../src/cli/reference/model-case';
import { describeFailure, failures } from '../../src/cli/reference/report';
import type { TfjsBackend } from '../../src/engine/place';
import { fixture } from './files';

const jsonFiles = (folder: string): string[] =>
  readdirSync(fixture(folder))
    .filter((name) => name.endsWith('.json'))
    .map((name) => `${folder}${name}`);

async function agrees(name: string, device: TfjsBackend): Promise<void> {
  const place = { engine: 'tfjs' as const, device };
  const file = readReference(fixture(name));
  const report =
    file.kind === 'anl'
      ? await runAnlCases(file.cases, place)
      : await runModelCase(file.modelPath, file.case, { place });
  expect(report.findings.length).toBeGreaterThan(20);
  expect(failures(report).map(describeFailure)).toEqual([]);
}

/** Its gradients are its own tape's: an engine that shares nothing with ONNX Runtime's but the forward graph. */
describe('TensorFlow.js agrees with PyTorch on WebAssembly', () => {
  it.each([...jsonFiles('./'), ...jsonFiles('./more/')])('%s', (name) => agrees(name, 'wasm'));
});

describe('and on its plain JavaScript', () => {
  it.each(['anl.json', 'bert-aurora.json', 'llama-aurora.json', 'more/conformer.json', 'more/table.json'])(
    '%s',
    (name) => agrees(name, 'cpu'),
  );
});

describe('and on WebGPU', () => {
  it.each(['anl.json', 'bert-lora.json', 'more/conformer.json', 'more/swin.json', 'more/table.json'])(
    '%s',
    (name) => agrees(name, 'webgpu'),
  );
});

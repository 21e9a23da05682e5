import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnosticsText } from '../../../src/extension/commands/runs/diagnostics-text';
import { lastLines, readTail } from '../../../src/executors/local/run-status';
import { sortedJson } from '../../../src/base/sorted-json';
import { readRunSummary } from '../../../src/runs/run-summary';
import { temporaryFolders } from '../runs/folder';
import { makeRun, started } from './run-maker';

const folder = temporaryFolders();

describe('diagnostics', () => {
  it('contain versions, machine, settings, error and log, without the home folder', () => {
    const home = folder();
    const run = makeRun(join(home, 'demo.aurora.json'), {
      events: [
        started,
        { kind: 'device', step: 0, engine: 'tfjs', device: 'wasm', reason: 'chosen', tried: [] },
        { kind: 'failed', step: 1, error: 'disk', message: `${home}/x is full.`, hint: 'Free some.' },
      ],
      status: { state: 'failed' },
    });
    const text = diagnosticsText({
      versions: { 'AuroRA Lab': '0.1.0', VSCode: '1.100.0' },
      machine: {
        node: { path: `${home}/node`, version: '24.1.0', from: 'extension' },
        totalMemory: 16e9,
        freeMemory: 3.2e9,
        cores: 8,
        problems: [{ message: 'No runtime.', hint: 'Install it.' }],
      },
      device: { engine: 'tfjs', device: 'wasm', fallBackToCpu: true },
      run: { folder: run, id: 'r', experiment: '', state: 'failed', run: readRunSummary(run), user: {} },
      log: 'line with ```` in it',
      home,
    });
    for (const part of [
      '- AuroRA Lab: 0.1.0',
      '- Node: 24.1.0 from the extension (~/node)',
      '- ONNX Runtime: none',
      '- Memory: 3.2 GB free of 16.0 GB',
      '- Settings: engine tfjs, device wasm, fall back to CPU yes',
      '"engine":"tfjs","device":"wasm","reason":"chosen"',
      '- Problem: No runtime. Install it.',
      '- Error: ~/x is full. Free some.',
      '"learningRate": 0.001',
      '`````\nline with ```` in it\n`````',
    ])
      expect(text).toContain(part);
    expect(text).not.toContain(home);
  });

  it('contain the requested device of a run that was lost before it had one', () => {
    const home = folder();
    const run = makeRun(join(home, 'demo.aurora.json'), {
      events: [{ kind: 'requested', engine: 'onnxruntime', device: 'cuda', fallBack: false }],
    });
    const entry = { folder: run, id: 'r', experiment: '', state: 'lost' as const, user: {} };
    const text = diagnosticsText({ versions: {}, run: { ...entry, run: readRunSummary(run) }, home });
    expect(text).toContain('"kind":"requested","engine":"onnxruntime","device":"cuda"');
  });

  it('replace a Windows home folder also where JSON doubled the backslashes', () => {
    const home = 'C:\\Users\\ada';
    const run = { folder: `${home}\\r`, id: 'r', experiment: '', state: 'damaged' as const, user: {} };
    const text = diagnosticsText({ versions: { JSON: JSON.stringify(`${home}\\r`) }, run, home });
    expect(text).not.toContain('ada');
    expect(text).toContain('- Folder: ~\\r');
  });
});

describe('a trainer’s log', () => {
  it('is read from its end, starting with a whole line', async () => {
    const path = join(folder(), 'trainer.log');
    expect(await readTail(path)).toBeUndefined();
    writeFileSync(path, 'first\nsecond\nthird\n');
    expect(await readTail(path)).toEqual({ text: 'first\nsecond\nthird\n', size: 19 });
    expect(await readTail(path, 10)).toEqual({ text: 'third\n', size: 19 });
    appendFileSync(path, '\x1b[31mred\x1b[0m\r\n10%\r20%\r\x1b[Kdone\n');
    expect(lastLines((await readTail(path))!.text, 2)).toBe('red\ndone');
  });
});

describe('settings in a comparison', () => {
  it('have sorted keys at every depth', () => {
    expect(sortedJson({ b: [{ d: 1, c: 2 }], a: null })).toBe(sortedJson({ a: null, b: [{ c: 2, d: 1 }] }));
    expect(sortedJson({ b: 1, a: 2 }, 2)).toBe('{\n  "a": 2,\n  "b": 1\n}');
  });
});

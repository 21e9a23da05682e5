import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countByProvider, placement, strayFloats } from './node-placement';
import { openSession } from '../../src/engine/onnxruntime/session';
import { onWebgpu } from '../webgpu';
import { saveStep } from './step-graph';

describe.runIf(onWebgpu)('the step graph on WebGPU', () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), 'aurora-placed-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each(['bert-aurora', 'vit-aurora', 'llama-aurora', 'more/gpt2-classifier', 'more/t5', 'more/table'])(
    'runs every node of %s with fixed dimensions on the device',
    async (name) => {
      const { path, feeds, lossSum, count, loss } = await saveStep(`${name}.json`, folder, true);
      const session = await openSession(path, { device: 'webgpu', onlyDevice: true });
      const out = await session.run(feeds);
      await session.dispose();
      expect(Number(out[lossSum].data[0]) / Number(out[count].data[0])).toBeCloseTo(loss, 4);
      expect(Object.values(out).every((t) => Array.from(t.data, Number).every(Number.isFinite))).toBe(true);
    },
  );

  it.each(['bert-opset13-aurora', 'llama-aurora', 'more/deberta', 'more/swin', 'more/conformer'])(
    'computes no floats of %s with free dimensions on the CPU',
    async (name) => {
      const { path, feeds } = await saveStep(`${name}.json`, folder, false);
      const nodes = await placement(path, 'webgpu', feeds);
      expect(countByProvider(nodes).webgpu).toBeGreaterThan(100);
      expect(strayFloats(nodes).map((n) => n.opType)).toEqual([]);
    },
  );
});

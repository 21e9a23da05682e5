import { readdirSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import type { VerifyLine } from '../../src/protocol/verification';
import { Lab } from './lab';

const lab = new Lab({ adapter: { dropout: 0.1 } });
afterAll(() => lab.remove());

describe('aurora verify', () => {
  it('runs the first batch on both engines, reports that they agree, and leaves nothing behind', () => {
    const before = readdirSync(lab.folder);
    const { code, out, err } = lab.run('verify', lab.experiment, '--json');
    expect([code, err]).toEqual([0, '']);
    const lines = out
      .trimEnd()
      .split('\n')
      .map((l) => JSON.parse(l) as VerifyLine);
    expect(lines.map((l) => l.kind)).toEqual(['setup', 'ran', 'ran', 'ran', 'ran', 'result']);
    expect(lines[0]).toMatchObject({
      places: [
        { engine: 'onnxruntime', device: 'cpu' },
        { engine: 'tfjs', device: 'wasm' },
      ],
      examples: 8,
      tensors: 18,
      dropout: true,
    });
    const result = lines.at(-1)!;
    if (result.kind !== 'result') throw new Error('The last line is the result.');
    expect(result.agree).toBe(true);
    expect(result.rows.map((r) => [r.values, r.what, r.agree])).toEqual(
      ['initial', 'perturbed'].flatMap((v) => ['loss', 'logits', 'gradients'].map((w) => [v, w, true])),
    );
    // B starts at 0, so the gradients of A, H and W are 0; after the perturbation, none is.
    const zeros = result.rows.filter((r) => r.what === 'gradients').map((r) => r.zero);
    expect(zeros).toEqual([12, 0]);
    expect(readdirSync(lab.folder)).toEqual(before);
  });

  it('prints a readable table for the requested devices', () => {
    const { code, out } = lab.run(
      'verify',
      lab.experiment,
      '--engine-device',
      'cpu',
      '--set',
      'training.batchSize=2',
    );
    expect(code).toBe(0);
    expect(out).toContain(
      'ONNX Runtime on cpu compared with TensorFlow.js on cpu, in float32, on the first training batch: 2 examples',
    );
    expect(out).toMatch(/perturbed {3}gradients +[\d.]+e-\d +1e-4 +agree +layer\.\d/);
    expect(out).toMatch(/\n\nThe engines agree; the largest difference is [\d.]+e-\d+\.\n$/);
  });

  it('reports errors as text and as JSON', () => {
    const device = lab.run('verify', lab.experiment, '--engine-device', 'cuda');
    expect(device.code).toBe(2);
    expect(device.err).toContain('The engine tfjs has no device "cuda"');
    const missing = lab.run('verify', lab.experiment, '--json', '--set', 'model.path=nothing.onnx');
    expect(missing.code).not.toBe(0);
    expect(
      missing.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toMatchObject([
      { kind: 'problem', severity: 'error', key: 'model.path' },
      { error: { code: missing.code, message: expect.any(String) as string } },
    ]);
  });
});

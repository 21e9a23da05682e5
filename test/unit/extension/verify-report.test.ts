import { describe, expect, it } from 'vitest';
import {
  addVerifyLine,
  parseVerifyLine,
  verifyMarkdown,
  verifySummary,
  type VerifyReport,
} from '../../../src/extension/commands/verify-report';
import { verifyArguments } from '../../../src/extension/launcher/device-arguments';
import type { VerifyLine, VerifyRow } from '../../../src/protocol/verification';

const row = (what: VerifyRow['what'], error: number | null, tolerance: number): VerifyRow => ({
  values: 'perturbed',
  what,
  error,
  tolerance,
  agree: error !== null && error <= tolerance,
  ...(what === 'gradients' ? { worst: 'layer.0.query.A' } : {}),
});

const places = [
  { engine: 'onnxruntime', device: 'cpu' },
  { engine: 'tfjs', device: 'wasm' },
] as const;

function reported(result: VerifyLine) {
  const report: VerifyReport = { ran: [] };
  const lines: VerifyLine[] = [
    {
      kind: 'setup',
      places: [{ ...places[0] }, { ...places[1] }],
      examples: 8,
      tokens: 94,
      tensors: 18,
      dropout: true,
    },
    ...places.flatMap((place) =>
      (['initial', 'perturbed'] as const).map((values) => ({
        kind: 'ran' as const,
        place,
        values,
        seconds: 0.5,
        loss: 0.7,
      })),
    ),
    result,
  ];
  const told = lines.map((line) => addVerifyLine(report, parseVerifyLine(JSON.stringify(line))!));
  return { report, told };
}

describe('the report of a comparison of both engines', () => {
  it('lists each step as it comes and ends with one sentence', () => {
    const rows = [row('loss', 1e-7, 1e-5), row('gradients', 4e-7, 1e-4)];
    const { report, told } = reported({ kind: 'result', agree: true, rows });
    expect(told).toEqual([
      'Running one step of 8 examples on ONNX Runtime on cpu…',
      undefined,
      'Running one step of 8 examples on TensorFlow.js on wasm…',
      undefined,
      'Comparing…',
      undefined,
    ]);
    expect(verifySummary(report.result!)).toBe('The engines agree; the largest difference is 4e-7.');
    const text = verifyMarkdown('my_run', report);
    expect(text).toContain('# Engine comparison: my\\_run');
    expect(text).toContain(
      '8 examples of 94 tokens, 18 trainable tensors. Both used the same dropout masks.',
    );
    expect(text).toContain('| perturbed | gradients | 4e-7 | 1e-4 | agree | `layer.0.query.A` |');
    expect(text).not.toContain('First difference');
  });

  it('names the first tensor that differs, whatever its name contains', () => {
    const first = {
      stage: 'forward' as const,
      ...{ tensor: '/a|b`c', operator: 'Gelu', node: '/layer.1/act/Gelu', module: 'layer.1.act' },
      ...{ dims: [2, 3], position: [1, 2], both: ['0.5', 'NaN'] as [string, string], error: null },
    };
    const { report } = reported({ kind: 'result', agree: false, rows: [row('loss', null, 1e-5)], first });
    expect(verifySummary(report.result!)).toBe('The engines differ, first in /a|b`c (Gelu).');
    const text = verifyMarkdown('x', report);
    expect(text).toContain('| tensor | `/a b c` |');
    expect(text).toContain('| module | `layer.1.act` |');
    expect(text).toContain('| difference | not finite |');
    expect(text).toContain('| perturbed | loss | not finite | 1e-5 | **differ** |');
  });

  it('lists the gradients that differ if the forward pass agrees', () => {
    const first = {
      stage: 'gradient' as const,
      ...{
        tensor: 'layer.1.query.A',
        dims: [2],
        position: [0],
        both: ['1', '2'] as [string, string],
        error: 1,
      },
      differing: ['layer.0.query.A', 'layer.1.query.A'],
    };
    const { report } = reported({ kind: 'result', agree: false, rows: [row('gradients', 1, 1e-4)], first });
    const text = verifyMarkdown('x', report);
    expect(text).toContain('- `layer.0.query.A`\n- `layer.1.query.A`');
  });

  it('names the texts that were left out and repeats the steps for the others', () => {
    const rows = [row('gradients', 4e-7, 1e-4)];
    const { report } = reported({ kind: 'result', agree: true, rows });
    const kinks = { kind: 'kinks' as const, values: 3, operators: ['Relu'], texts: [0, 12, 20], of: 32 };
    expect(addVerifyLine(report, parseVerifyLine(JSON.stringify(kinks))!)).toContain('Running again');
    expect(report.ran).toEqual([]);
    const text = verifyMarkdown('x', report);
    expect(text).toContain('3 values of `Relu` are on different sides of 0');
    expect(text).toContain('exclude the affected examples, 3 of 32.');
    addVerifyLine(report, { ...kinks, values: 1, texts: [4] });
    const one = verifyMarkdown('x', report);
    expect(one).toContain('one value of `Relu`');
    expect(one).toContain('exclude the one affected example of 32.');
    const all = verifyMarkdown('x', { ...report, kinks: { ...kinks, texts: [0], of: 1 } });
    expect(all).toContain('Every example contains one');
  });

  it('ignores unknown lines', () => {
    expect(parseVerifyLine('Warning: a driver')).toBeUndefined();
    expect(parseVerifyLine('{"kind":"later"}')).toBeUndefined();
    expect(parseVerifyLine('null')).toBeUndefined();
  });

  it('passes the device setting to the engine that has the device', () => {
    const of = (engine: string, device: string) => verifyArguments({ engine, device, fallBackToCpu: true });
    expect(of('onnxruntime', 'auto')).toEqual([]);
    expect(of('onnxruntime', 'webgpu')).toEqual(['--device', 'webgpu']);
    expect(of('tfjs', 'cpu')).toEqual(['--engine-device', 'cpu']);
  });
});

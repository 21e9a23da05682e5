import { describe, expect, it } from 'vitest';
import { verifyArguments } from '../../../../src/extension/launcher/device-arguments';
import {
  addVerifyLine,
  partsOfVerify,
  verifyReport,
  verifySummary,
  type VerifyLines,
} from '../../../../src/protocol/reports/verify-report';
import type { Part } from '../../../../src/protocol/reports/report';
import type { VerifyKinks, VerifyLine, VerifyResult, VerifyRow } from '../../../../src/protocol/verification';

const row = (what: VerifyRow['what'], error: number | null, tolerance: number): VerifyRow => ({
  values: 'perturbed',
  what,
  error,
  tolerance,
  agree: error !== null && error <= tolerance,
  ...(what === 'gradients' ? { worst: 'layer.0.query.A', zero: 12, of: 18 } : {}),
});

const places = [
  { engine: 'onnxruntime', device: 'cpu' },
  { engine: 'tfjs', device: 'wasm' },
] as const;

function reported(result: Omit<VerifyResult, 'kind'>) {
  const report: VerifyLines = { ran: [] };
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
    { kind: 'result', ...result },
  ];
  const told = lines.map((line) => addVerifyLine(report, line));
  return { report, told, parts: verifyReport('my_run', report).parts };
}

const rowsOf = (parts: readonly Part[]) =>
  parts.flatMap((part) => (typeof part === 'object' && 'rows' in part ? part.rows : []));

describe('the report of a comparison of both engines', () => {
  it('lists each step as it comes and ends with one sentence', () => {
    const rows = [row('loss', 1e-7, 1e-5), row('gradients', 4e-7, 1e-4)];
    const { report, told, parts } = reported({ agree: true, rows });
    expect(told).toEqual([
      'Running one step of 8 examples on ONNX Runtime on cpu…',
      undefined,
      'Running one step of 8 examples on TensorFlow.js on wasm…',
      undefined,
      'Comparing…',
      undefined,
    ]);
    expect(verifySummary(report.result!)).toBe('The engines agree; the largest difference is 4e-7.');
    expect(verifyReport('my_run', report).title).toBe('Engine comparison: my_run');
    expect(parts).toContain(
      'ONNX Runtime on cpu compared with TensorFlow.js on wasm, in float32, on the first training batch: 8 examples with 94 tokens in total, 18 trainable tensors. Both used the same dropout masks.',
    );
    expect(rowsOf(parts)).toContainEqual([
      ...['perturbed', 'gradients', '4e-7', '1e-4', 'agree', '12 of 18', 'layer.0.query.A'],
    ]);
    expect(parts).not.toContainEqual({ heading: 'First difference' });
    // In a terminal, the result comes last.
    expect(partsOfVerify(report.result!, report).at(-1)).toEqual(parts[0]);
  });

  it('names the first tensor that differs, whatever its name contains', () => {
    const first = {
      stage: 'forward' as const,
      ...{ tensor: '/a|b`c', operator: 'Gelu', node: '/layer.1/act/Gelu', module: 'layer.1.act' },
      ...{ dims: [2, 3], position: [1, 2], both: ['0.5', 'NaN'] as [string, string], error: null },
    };
    const { report, parts } = reported({ agree: false, rows: [row('loss', null, 1e-5)], first });
    expect(verifySummary(report.result!)).toBe('The engines differ, first in /a|b`c (Gelu).');
    expect(rowsOf(parts)).toEqual(
      expect.arrayContaining([
        ['tensor', '/a|b`c'],
        ['shape', '[2, 3]'],
        ['module', 'layer.1.act'],
        ['difference', 'not finite'],
        ['perturbed', 'loss', 'not finite', '1e-5', 'differ', '', ''],
      ]),
    );
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
    const { parts } = reported({ agree: false, rows: [row('gradients', 1, 1e-4)], first });
    expect(parts).toContainEqual({ list: ['`layer.0.query.A`', '`layer.1.query.A`'] });
  });

  it('blames the graph optimization if no single tensor differs', () => {
    const { parts } = reported({ agree: false, rows: [row('loss', 1, 1e-4)] });
    expect(parts).toContainEqual(expect.stringContaining('its graph optimization makes the difference'));
  });

  it('names the texts that were left out and repeats the steps for the others', () => {
    const { report } = reported({ agree: true, rows: [row('gradients', 4e-7, 1e-4)] });
    const kinks: VerifyKinks = { kind: 'kinks', values: 3, operators: ['Relu'], texts: [0, 12, 20], of: 32 };
    expect(addVerifyLine(report, kinks)).toContain('Running again');
    expect(report.ran).toEqual([]);
    const said = (more: Partial<VerifyKinks>) => partsOfVerify({ ...kinks, ...more }, report).join();
    expect(said({})).toContain('3 values of `Relu` are on different sides of 0');
    expect(said({})).toContain('exclude the affected examples, 3 of 32.');
    expect(said({ values: 1, texts: [4] })).toContain('one value of `Relu`');
    expect(said({ values: 1, texts: [4] })).toContain('exclude the one affected example of 32.');
    expect(said({ texts: [0], of: 1 })).toContain('Every example contains one');
  });

  it('passes the device setting to the engine that has the device', () => {
    const of = (engine: string, device: string) => verifyArguments({ engine, device, fallBackToCpu: true });
    expect(of('onnxruntime', 'auto')).toEqual([]);
    expect(of('onnxruntime', 'webgpu')).toEqual(['--device', 'webgpu']);
    expect(of('tfjs', 'cpu')).toEqual(['--engine-device', 'cpu']);
  });
});

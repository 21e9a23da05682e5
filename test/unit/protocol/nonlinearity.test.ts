import { describe, expect, it } from 'vitest';
import { terminalText } from '../../../src/cli/report-text';
import { type Nonlinearity, parseNonlinearity } from '../../../src/protocol/nonlinearity';
import {
  nonlinearityFacts,
  nonlinearityParts,
  nonlinearityProgress,
  nonlinearityRemarks,
  nonlinearityRows,
  nonlinearityVerdict,
} from '../../../src/protocol/reports/nonlinearity-report';
import { nonlinearityResult } from '../../nonlinearity-result';

const again = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const report = (over: Partial<Nonlinearity> = {}) =>
  terminalText(nonlinearityParts(nonlinearityFacts(nonlinearityResult(over))), Infinity);

describe("a kept result of a run's nonlinearity", () => {
  it('is read as it was written', () => {
    for (const result of [
      nonlinearityResult(),
      nonlinearityResult({
        headOnly: { run: '/runs/head', step: 3, metrics: nonlinearityResult().removed },
        headGain: { mean: 0.1, error: 0.01, half: 0.02 },
        headShare: { value: 0.3, low: 0.2, high: 0.4 },
        inputs: { changed: ['The model has changed.'], notes: [] },
        evaluation: nonlinearityResult().trained,
      }),
      nonlinearityResult({
        method: 'lora',
        linear: 'method',
        layers: [],
        tokens: undefined,
        share: undefined,
      }),
    ])
      expect(parseNonlinearity(again(result))).toEqual(again(result));
  });

  it.each<[string, object]>([
    ['another version', { version: 2 }],
    ['a step that is none', { step: -1 }],
    ['an unknown method', { method: 'toString' }],
    ['metrics without a loss', { removed: { accuracy: 1 } }],
    ['a share that is text', { share: { value: '10%', low: 0, high: 1 } }],
    ['no layers', { layers: undefined }],
    ['a line of another rank', { layers: [{ ...nonlinearityResult().layers[0], c: [1, 2, 3] }] }],
    ['a number that is none', { layers: [{ ...nonlinearityResult().layers[0], r2: null }] }],
    ['an unknown rule', { layers: [{ ...nonlinearityResult().layers[0], fallback: 'constructor' }] }],
    ['a rise without its error', { lost: { mean: 1, half: 2 } }],
    ['data without a file', { data: {} }],
  ])('is not read with %s', (_, over) =>
    expect(parseNonlinearity({ ...nonlinearityResult(), ...over })).toBeUndefined(),
  );

  it.each([[null], [[]], ['text'], [1], [{}]])('is not read from %j', (value) =>
    expect(parseNonlinearity(value)).toBeUndefined(),
  );
});

describe("the report of a run's nonlinearity", () => {
  it('states the loss, the share of the gain, all rows and each layer', () =>
    expect(report()).toBe(
      `
Replacing σ by its linear fit in all layers raises the validation loss by 0.03 (95% interval +0.0202 to +0.0398).
That is 10.0% of what the adapters gain (95% interval 6.5% to 14.0%), which is the rise of the loss without them, 0.3.
The head was trained with the adapters, so their removal overstates their gain. A run of this experiment with adapter.method "none" and the same seed would show the gain over a head alone.
Measured on 512 of 2,256 validation examples, evenly spaced. Fitted on up to 4,096 training tokens for each layer.

step 60              loss   accuracy   rise of the loss   standard error
as trained         1.2000      64.0%                  –                –
fitted             1.2300      63.5%              +0.03            0.005
adapters removed   1.5000      57.0%               +0.3             0.02

Each layer alone
  In 1 of 2 layers, replacing σ clearly raises the loss (p < 0.05, adjusted by Holm), most in layer.0.value.

  layer               R²   rise of the loss   standard error
  layer.0.query   0.9912             +0.001            0.002
  layer.0.value    0.420             +0.025            0.004   clear; fewer tokens than coefficients
`.replace(/^\n/, ''),
    ));

  it('lists only the fits if layers were not measured', () => {
    const layers = nonlinearityResult().layers.map((layer) => ({ ...layer, rise: undefined }));
    expect(report({ layers })).toMatch(
      /The fit of each layer\n {2}layer {15}R²\n {2}layer\.0\.query {3}0\.9912\n {2}layer\.0\.value {4}0\.420 {3}fewer tokens than coefficients\n$/,
    );
  });

  it('says that nothing depends on σ only if the loss does not clearly rise and little of the gain can', () => {
    const lost = { mean: 0.002, error: 0.002, half: 0.004 };
    expect(nonlinearityVerdict(nonlinearityResult({ lost }))).toMatch(
      /by \+0\.002 \(95% interval −0\.002 to \+0\.006\)\. That is not clearly different from 0, so no effect of σ can be shown on these examples\.$/,
    );
    const share = { value: 0.007, low: -0.01, high: 0.03 };
    expect(nonlinearityVerdict(nonlinearityResult({ lost, share }))).toMatch(
      /^Nothing measurable depends on σ: .* by \+0\.002 \(95% interval −0\.002 to \+0\.006\)\.$/,
    );
    expect(nonlinearityVerdict(nonlinearityResult({ lost: { ...lost, mean: -0.01 } }))).toMatch(
      /by −0\.01 \(95% interval −0\.014 to −0\.006\): it is no worse, so nothing that the adapters gain depends on σ\.$/,
    );
  });

  it('says that a linear adapter has no σ, and does not list a fit', () => {
    const none = { layers: [], share: undefined, tokens: undefined };
    const lora = nonlinearityResult({ ...none, method: 'lora', linear: 'method' });
    expect(report(lora)).toMatch(
      /^LoRA has no nonlinearity between its matrices, so nothing depends on one\./,
    );
    expect(report(lora)).not.toMatch(/fitted|Fitted|Each layer/);
    expect(nonlinearityVerdict(nonlinearityResult({ ...none, linear: 'static' }))).toBe(
      'The static form was trained last. It is linear, so nothing depends on σ.',
    );
  });

  it('states no share of a gain that is not clear', () => {
    const result = nonlinearityResult({ share: undefined, gain: { mean: 0.01, error: 0.01, half: 0.02 } });
    const remarks = nonlinearityRemarks(result).join('\n');
    expect(remarks).toContain('which is not clearly a rise, so no share of a gain can be stated.');
    expect(remarks).not.toContain('of what the adapters gain');
  });

  it('compares with a run that trained only a head, if there is one', () => {
    const headOnly = { run: '/runs/head', step: 9, metrics: { loss: 1.4, accuracy: 0.6, examples: 512 } };
    const headGain = { mean: 0.2, error: 0.01, half: 0.02 };
    const headShare = { value: 0.15, low: 0.1, high: 0.21 };
    const result = nonlinearityResult({ headOnly, headGain, headShare });
    expect(nonlinearityRemarks(result).join('\n')).toContain(
      'Over a run that trained only a head, the gain is 0.2, and the share is 15.0% (95% interval 10.0% to 21.0%).',
    );
    expect(nonlinearityRows(result).rows.at(-1)).toEqual(['head only', '1.4000', '60.0%', '+0.2', '0.01']);
    const unclear = nonlinearityResult({ headOnly, headGain, headShare: undefined });
    expect(nonlinearityRemarks(unclear).join('\n')).toContain(
      'the gain is +0.2 (95% interval +0.18 to +0.22).',
    );
  });

  it('shows the remaining time once one pass has been measured', () => {
    expect(nonlinearityProgress({ kind: 'fitting', done: 1024, of: 4096 })).toBe(
      'Fitting σ: 1,024 of 4,096 training tokens…',
    );
    const first = { kind: 'measuring' as const, done: 0, of: 27, examples: 512 };
    expect(nonlinearityProgress(first)).toBe('Measuring: pass 1 of 27 over 512 examples…');
    expect(nonlinearityProgress({ ...first, done: 1, secondsLeft: 131 })).toBe(
      'Measuring: pass 2 of 27 over 512 examples, 2 min 11 s left…',
    );
    expect(nonlinearityProgress({ kind: 'result', file: '', step: 1 })).toBeUndefined();
  });
});

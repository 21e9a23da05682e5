import { describe, expect, it } from 'vitest';
import { countOf } from '../../../src/adapters/budget/budget-comparison';
import type { AdapterSpec, AuroraSpec } from '../../../src/experiment/methods';
import { requireTable, rowAdapter, type TableRow } from '../../../src/recipes/paper-tables';
import { RIVALS_TABLE, sizedOn } from '../../../src/recipes/rivals-table';
import { loadExperiment } from '../../../src/runs/experiment/load';
import { defaultAdapter } from '../../../src/recipes/draft';

const layers = (hasBias: boolean) =>
  [0, 1, 2].flatMap((n) =>
    ['query', 'value'].map((name) => ({
      ...{ path: `layer.${n}.${name}`, inFeatures: 48, outFeatures: 48, calls: 1 },
      hasBias,
    })),
  );
const base: AuroraSpec = { ...(defaultAdapter('aurora') as AuroraSpec), rank: 2, alpha: 4 };
const withHead = {
  adapter: base,
  task: { type: 'text-classification', head: 'linear', pooling: 'mean' },
} as const;

const BASES = base.gridSize + base.splineOrder;

function settingsOf(rows: readonly TableRow[], label: string): AdapterSpec {
  const row = rows.find((r) => r.label === label);
  expect(row, label).toBeDefined();
  return rowAdapter(row!, base);
}

describe('the table of other methods', () => {
  it('has each method at the sizes nearest to AuroRA’s number of parameters, and to four times as many', () => {
    const rows = sizedOn(RIVALS_TABLE.rows, layers(true), withHead);
    const counts = new Map(
      rows.map((row) => [row.label, countOf(layers(true), rowAdapter(row, base))] as const),
    );
    const own = counts.get('AuroRA r=2')!;
    // A rank of LoRA costs 96 parameters in each of six layers: it is at most half of that away.
    expect(Math.abs(counts.get('LoRA')! - own)).toBeLessThanOrEqual(288);
    expect(Math.abs(counts.get('LoRA ×4')! - 4 * own)).toBeLessThanOrEqual(288);
    expect(counts.get('BitFit')).toBe(6 * 48);
    expect(counts.get('head only')).toBe(0);
    for (const row of rows.slice(1)) expect(row.against).toBe('AuroRA r=2');
  });

  it('has LoRA from each start at LoRA’s sizes', () => {
    const rows = sizedOn(RIVALS_TABLE.rows, layers(true), withHead);
    const adapterOf = (label: string) => settingsOf(rows, label);
    for (const [name, initialization] of [
      ['PiSSA', 'pissa'],
      ['OLoRA', 'olora'],
      ['EVA', 'eva'],
      ['CorDA', 'corda'],
    ])
      for (const size of ['', ' ×4'])
        expect(adapterOf(`LoRA, ${name}${size}`)).toEqual({ ...adapterOf(`LoRA${size}`), initialization });
  });

  it('has AuroRA’s other readings of L(z)', () => {
    const rows = sizedOn(RIVALS_TABLE.rows, layers(true), withHead);
    const countAt = (label: string) => countOf(layers(true), settingsOf(rows, label));
    // In six layers, a weight for each basis, output and input instead of each basis and output.
    expect(countAt('AuroRA r=8, per-pair') - countAt('AuroRA r=8')).toBe(6 * 7 * 8 * BASES);
    expect(countAt('AuroRA r=8, per-dimension')).toBe(countAt('AuroRA r=8'));
  });

  it('has no two rows with the same settings', () => {
    const rows = sizedOn(RIVALS_TABLE.rows, layers(true), withHead);
    const settings = rows.map((row) => JSON.stringify(rowAdapter(row, base)));
    expect(new Set(settings).size).toBe(settings.length);
  });

  it('leaves out the methods that a model does not allow', () => {
    const task = { type: 'causal-language-modeling', head: 'none', pooling: 'mean' } as const;
    const labels = sizedOn(RIVALS_TABLE.rows, layers(false), { adapter: base, task }).map((r) => r.label);
    expect(labels).toContain('LoRA');
    expect(labels).not.toContain('BitFit');
    expect(labels).not.toContain('head only');
  });

  it('is found by name, and has an experiment for each column', () => {
    expect(requireTable('rivals')).toBe('rivals');
    for (const { study } of RIVALS_TABLE.experiments)
      expect(loadExperiment(`demo/studies/${study!}`).adapter).toMatchObject({ method: 'aurora', rank: 2 });
  });
});

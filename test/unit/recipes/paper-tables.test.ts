import { describe, expect, it } from 'vitest';
import { AuroraError } from '../../../src/base/errors';
import { defaultAdapter } from '../../../src/recipes/draft';
import { DEMO_TABLE } from '../../../src/recipes/demo-table';
import { PAPER_MODELS } from '../../../src/recipes/model-shapes';
import { COMMONSENSE, GLUE, IMAGES } from '../../../src/recipes/paper-data';
import { ACTIVATION, ABLATION, PUBLISHED } from '../../../src/recipes/paper-report';
import {
  fittedRows,
  paperTable,
  requireTable,
  rowAdapter,
  tableModel,
  tableModels,
  TABLE_NAMES,
  type TableName,
} from '../../../src/recipes/paper-tables';
import { type AuroraSpec, HEAD_ALONE } from '../../../src/experiment/methods';

const tableOf = (name: TableName, id: string) =>
  paperTable(
    name,
    PAPER_MODELS.find((m) => m.id === id)!,
  );
const idsOf = (name: TableName, id: string) =>
  tableOf(name, id).experiments.map((experiment) => experiment.id);
const all = TABLE_NAMES.flatMap((name) => tableModels(name).map((model) => [name, model] as const));

describe('the paper’s tables', () => {
  it('have the data sets of their models', () => {
    for (const model of ['roberta-base', 'roberta-large'])
      expect(idsOf('glue', model)).toEqual(GLUE.map(({ id }) => `glue/${id}`));
    for (const model of ['vit-base', 'vit-large'])
      expect(idsOf('images', model)).toEqual(IMAGES.map(({ id }) => `images/${id}`));
    expect(idsOf('commonsense', 'llama3-8b')).toEqual(['commonsense170k']);
    expect(tableOf('commonsense', 'llama3-8b').experiments[0]!.columns).toEqual(COMMONSENSE);
    expect(idsOf('dreambooth', 'sdxl')).toEqual(['dreambooth']);
    const names = (ids: string[]) => ids.map((id) => IMAGES.find((set) => `images/${set.id}` === id)!.name);
    expect(names(idsOf('ablation', 'vit-base')).sort()).toEqual([...ABLATION.columns].sort());
    expect(names(idsOf('activation', 'vit-base')).sort()).toEqual([...ACTIVATION.columns].sort());
    expect(idsOf('ranks', 'vit-large')).toEqual(idsOf('images', 'vit-large'));
  });

  it.each(all)(
    '%s of %s has rows with different labels and adapters, compared with other rows',
    (name, model) => {
      const { rows } = tableOf(name, model);
      const labels = rows.map(({ label }) => label);
      expect(new Set(labels).size).toBe(labels.length);
      const trained = rows.filter((row) => !row.isMerged);
      const base = { ...(defaultAdapter('aurora') as AuroraSpec), rank: 2, alpha: 4 };
      const specs = trained.map((row) => JSON.stringify([rowAdapter(row, base), row.isStatic]));
      expect(new Set(specs).size).toBe(trained.length);
      for (const { against, label } of rows.filter((row) => row.against !== undefined))
        expect(labels.filter((other) => other !== label)).toContain(against);
    },
  );

  it('have the numbers that are printed for the model, and none of another', () => {
    const rte = tableOf('glue', 'roberta-large').rows.map(({ paper }) => [paper.rte, paper.average]);
    expect(rte).toEqual([[89.9, 89.1], [85.2, 87.8], [undefined, undefined]]); // prettier-ignore
    expect(tableOf('ablation', 'vit-base').rows[2]!.paper).toEqual({
      'oxford-pets': 93.1,
      'cifar-10': 98.2,
      dtd: 77.8,
      eurosat: 98.0,
    });
    expect(tableOf('ablation', 'vit-large').rows.map(({ paper }) => paper)).toEqual([{}, {}, {}]);
    expect(tableOf('forms', 'llama3-8b').rows.map(({ paper }) => paper.average)).toEqual([
      83.8, 83.6, 82.8, 80.8,
    ]);
    for (const [name, model] of all.filter(([table]) => table === 'ranks'))
      for (const { paper } of tableOf(name, model).rows) expect(paper).toEqual({});
    expect(Object.keys(PUBLISHED)).not.toContain('sdxl');
  });

  it('train LoRA at AuroRA’s scale, and for pictures without one', () => {
    const base = { ...(defaultAdapter('aurora') as AuroraSpec), rank: 2, alpha: 4, dropout: 0.05 };
    const loras = (name: TableName, model: string) =>
      tableOf(name, model).rows.flatMap((row) => ('lora' in row.adapter ? [rowAdapter(row, base)] : []));
    expect(loras('commonsense', 'llama3-8b')).toMatchObject([
      { method: 'lora', rank: 32, alpha: 64, dropout: 0.05 },
      { method: 'lora', rank: 2, alpha: 4, dropout: 0.05 },
    ]);
    expect(loras('dreambooth', 'sdxl')).toMatchObject([{ rank: 4, alpha: 4 }, { rank: 2, alpha: 2 }]); // prettier-ignore
  });
});

describe('the demo’s table', () => {
  it('trains AuroRA, LoRA and the head alone at one scale, each compared with AuroRA of rank 2', () => {
    const base = { ...(defaultAdapter('aurora') as AuroraSpec), rank: 2, alpha: 4 };
    const specs = DEMO_TABLE.rows.map((row) => rowAdapter(row, base));
    expect(specs[0]).toEqual(base);
    for (const spec of specs.slice(0, -1)) {
      const { alpha, rank } = spec as AuroraSpec;
      expect(alpha).toBe(2 * rank);
    }
    expect(specs.at(-1)).toEqual(HEAD_ALONE);
    const [first, ...others] = DEMO_TABLE.rows;
    expect(first!.against).toBeUndefined();
    for (const { against, paper } of others) expect([against, paper]).toEqual([first!.label, {}]);
    expect(new Set(specs.map((spec) => JSON.stringify(spec))).size).toBe(8);
  });

  it('is found by name, also when misspelled', () => {
    expect(requireTable('demo')).toBe('demo');
    expect(() => requireTable('dmo')).toThrow(AuroraError);
  });
});

describe('a table for a smaller model', () => {
  const { rows } = tableOf('commonsense', 'llama3-8b');

  it('has the largest rank of LoRA that the model allows, beside the same number', () => {
    expect(fittedRows(rows, 32)).toEqual(rows);
    const [aurora, large, small] = fittedRows(rows, 16);
    expect([aurora, small]).toEqual([rows[0], rows[2]]);
    expect(large).toEqual({ ...rows[1], label: 'LoRA r=16', adapter: { lora: 16 }, paperRank: 32 });
  });

  it('has one row of each rank, and no scale for pictures', () => {
    expect(fittedRows(rows, 2).map(({ label }) => label)).toEqual(['AuroRA r=2', 'LoRA r=2']);
    const [, subject] = fittedRows(tableOf('dreambooth', 'sdxl').rows, 3);
    expect(subject).toMatchObject({ label: 'LoRA r=3', adapter: { lora: 3, alpha: 3 } });
  });
});

describe('the model of a table', () => {
  it.each([
    ['glue', 'roberta-base', undefined, 'roberta-base'],
    ['glue', 'FacebookAI/roberta-large', undefined, 'roberta-large'],
    ['glue', './my-model', 'large', 'roberta-large'],
    ['commonsense', 'Qwen/Qwen3-0.6B', undefined, 'llama3-8b'],
    ['ranks', 'vit-base', undefined, 'vit-base'],
  ] as const)('%s with %s and size %s is %s', (name, given, size, id) => {
    expect(tableModel(name, given, size).id).toBe(id);
  });

  it.each([
    ['glue', 'vit-base', undefined, 'no table "glue" for ViT-Base'],
    ['glue', './my-model', undefined, 'is not one of the paper’s models'],
    ['commonsense', './my-model', 'large', 'has no size "large"'],
    ['ranks', './my-model', 'base', 'several kinds of models'],
  ] as const)('%s with %s and size %s is refused', (name, given, size, message) => {
    const refused = () => tableModel(name, given, size);
    expect(refused).toThrow(AuroraError);
    expect(refused).toThrow(message);
  });
});

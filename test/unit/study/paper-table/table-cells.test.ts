import { describe, expect, it } from 'vitest';
import { compareGroups } from '../../../../src/study/compare-groups';
import { groupsOf } from '../../../../src/study/groups';
import {
  tableCells,
  tableComparisons,
  type MethodRuns,
  type TableMethod,
  type TaskRuns,
} from '../../../../src/study/paper-table/table-cells';
import { type ReproducedTable, tableCsv, tableReport } from '../../../../src/study/paper-table/table-report';
import { criticalT } from '../../../../src/study/statistics/distributions';
import { terminalText } from '../../../../src/cli/report-text';
import { aurora, lora, studyRun } from '../runs';

const METHODS: TableMethod[] = [
  { label: 'AuroRA r=2', paper: { rte: 85.2, cola: 65.1, average: 75.2 } },
  { label: 'LoRA r=8', paper: { rte: 78.4, cola: 63.4, average: 70.9 } },
  { label: 'LoRA r=2', paper: {} },
];

const runs = (column: string, values: readonly number[], more: Partial<MethodRuns> = {}): MethodRuns => ({
  ...{ learningRate: 5e-4, parameters: 74_208, tried: 3, isAtEnd: false, diverged: [] },
  runs: values.map((value, i) => ({ seed: i + 1, values: { [column]: value } })),
  ...more,
});

const rte = (methods: TaskRuns['methods'], comparisons: TaskRuns['comparisons'] = []): TaskRuns => ({
  name: 'RTE',
  columns: [{ id: 'rte', name: 'RTE', metric: 'accuracy', examples: 277 }],
  methods,
  comparisons,
});
const cola = (methods: TaskRuns['methods']): TaskRuns => ({
  name: 'CoLA',
  columns: [{ id: 'cola', name: 'CoLA', metric: 'matthews', examples: 1043 }],
  methods,
  comparisons: [],
});
const table = (tasks: TaskRuns[], more: Partial<ReproducedTable> = {}): ReproducedTable => ({
  ...{ title: 'GLUE, RoBERTa-Base', source: 'arXiv 2505.18738', methods: METHODS, tasks },
  ...{ isWhole: false, missing: [], notes: [], ...more },
});

describe('cells of a reproduced table', () => {
  it('have our mean in percent, its 95% interval by Student’s t, and the difference from the paper', () => {
    const [cell] = tableCells(METHODS, [rte({ 'AuroRA r=2': runs('rte', [0.8, 0.81, 0.82]) })], false);
    expect(cell!.ours!.mean).toBeCloseTo(81, 10);
    expect(cell!.ours!.half).toBeCloseTo((criticalT(2, 0.05) * 1) / Math.sqrt(3), 10);
    expect(cell!.difference).toBeCloseTo(-4.2, 10);
    expect(cell).toMatchObject({ paper: 85.2, isBeyond: true, seeds: [1, 2, 3], learningRate: 5e-4 });
  });

  it.each([
    // Half of the interval is 2.48 points around 81.
    [83.5, false],
    [83.6, true],
    [78.5, false],
    [78.4, true],
  ])('are marked if the paper’s number cannot be rounded into the interval: %d', (paper, isBeyond) => {
    const methods = [{ label: 'AuroRA r=2', paper: { rte: paper } }];
    const [cell] = tableCells(methods, [rte({ 'AuroRA r=2': runs('rte', [0.8, 0.81, 0.82]) })], false);
    expect(cell!.isBeyond).toBe(isBeyond);
  });

  it('count one example where all seeds agree', () => {
    const [cell] = tableCells(METHODS, [rte({ 'AuroRA r=2': runs('rte', [0.85, 0.85]) })], false);
    expect(cell!.ours!.half).toBeCloseTo((criticalT(1, 0.05) * (100 / 277)) / Math.sqrt(2), 10);
  });

  it('are not marked with one seed, without a number of the paper or without a run', () => {
    const task = rte({ 'AuroRA r=2': runs('rte', [0.5]), 'LoRA r=2': runs('rte', [0.5, 0.6]) });
    const [one, none, own] = tableCells(METHODS, [task], false);
    expect([one!.isBeyond, one!.ours!.half]).toEqual([undefined, undefined]);
    expect([none!.ours, none!.difference, none!.seeds]).toEqual([undefined, undefined, []]);
    expect([own!.paper, own!.isBeyond]).toEqual([undefined, undefined]);
  });

  it('end with the average over the data sets, seed by seed, of a whole table only', () => {
    const tasks = [
      rte({ 'AuroRA r=2': runs('rte', [0.8, 0.9]), 'LoRA r=8': runs('rte', [0.8]) }),
      cola({ 'AuroRA r=2': runs('cola', [0.6, 0.5, 0.7]) }),
    ];
    expect(tableCells(METHODS, tasks, false).some(({ column }) => column === 'average')).toBe(false);
    const averages = tableCells(METHODS, tasks, true).filter(({ column }) => column === 'average');
    expect(averages.map(({ method, seeds, paper }) => [method, seeds, paper])).toEqual([
      ['AuroRA r=2', [1, 2], 75.2],
    ]);
    // Both seeds have 70, so that the interval is that of one example of CoLA.
    expect(averages[0]!.ours!.mean).toBeCloseTo(70, 10);
    expect(averages[0]!.ours!.half).toBeCloseTo((criticalT(1, 0.05) * (100 / 1043 / 2)) / Math.sqrt(2), 10);
  });

  it('have a loss as it is, and no average of one', () => {
    const columns = [{ id: 'a', name: 'A', metric: 'loss' as const, examples: 4 }];
    const task = { name: 'A', columns, methods: { 'LoRA r=2': runs('a', [0.25, 0.35]) }, comparisons: [] };
    const cells = tableCells(METHODS, [task, { ...task, name: 'B' }], true);
    expect(cells).toHaveLength(6);
    expect(cells[2]!.ours!.mean).toBeCloseTo(0.3, 10);
  });
});

describe('comparisons of a reproduced table', () => {
  const seeds = (adapter: Parameters<typeof studyRun>[0], values: number[]) =>
    values.map((value, i) => studyRun(adapter, i + 1, value));
  const groups = groupsOf([...seeds(aurora(), [0.9, 0.91, 0.93]), ...seeds(lora(), [0.8, 0.82, 0.83])], []);
  const [ours, theirs] = ['aurora', 'lora'].map((method) => groups.find((g) => g.method === method)!);
  const comparison = compareGroups(ours!, theirs!, 'accuracy');
  const task = (name: string) => ({
    ...rte({ 'AuroRA r=2': runs('rte', [0.9, 0.91, 0.93]) }, [{ metric: 'accuracy' as const, comparison }]),
    name,
  });

  it('are corrected for all data sets together', () => {
    const [one] = tableComparisons([task('RTE')]);
    const two = tableComparisons([task('RTE'), task('MRPC')]);
    expect(one!.comparison.corrected).toBe(comparison.chance);
    for (const { comparison: of } of two) expect(of.corrected).toBeCloseTo(2 * comparison.chance!, 12);
  });

  it('are sentences with the data set', () => {
    const text = terminalText(tableReport(table([task('RTE'), task('MRPC')])).parts);
    expect(text).toMatch(/- MRPC: AuroRA r=2 is 9\.7 points of accuracy above LoRA r=2 \(95% interval/);
    expect(text).toContain('corrected for 2 comparisons');
  });
});

describe('the report of a table', () => {
  const tasks = [
    rte({
      'AuroRA r=2': runs('rte', [0.8, 0.81, 0.82], { isAtEnd: true }),
      'LoRA r=8': runs('rte', [0.77, 0.78, 0.8], { diverged: [4] }),
      'LoRA r=2': runs('rte', [0.75, 0.76, 0.77]),
    }),
  ];
  const text = (of: ReproducedTable) => terminalText(tableReport(of).parts);

  it('has the cells, and says what is marked, at the end of a search, diverged and missing', () => {
    const shown = text(table(tasks, { missing: [{ name: 'MRPC', why: 'there is no file.' }] }));
    expect(shown).toMatch(/RTE +accuracy, % +AuroRA r=2 +85\.2 +81\.0 ± 2\.5 +−4\.2 +yes +3 +5e-4 +74,208/);
    expect(shown).toMatch(/RTE +accuracy, % +LoRA r=8 +78\.4 +78\.3 ± 3\.8 +−0\.1 +no +3/);
    expect(shown).toMatch(/RTE +accuracy, % +LoRA r=2 +76\.0 ± 2\.5 +3/);
    expect(shown).toContain('warning: MRPC is missing: there is no file.');
    expect(shown).toContain('The paper gives no spread');
    expect(shown).toContain('AuroRA r=2 on RTE, 5e-4, is at the end of those that were tried');
    expect(shown).toContain('LoRA r=8 on RTE diverged with seeds 4');
  });

  it('leaves out the paper’s columns where the paper has only a figure', () => {
    const methods = METHODS.map(({ label }) => ({ label, paper: {} }));
    const shown = text(table(tasks, { methods }));
    expect(shown).not.toMatch(/Paper|Beyond chance|spread/);
    expect(shown).toMatch(/AuroRA r=2 +81\.0 ± 2\.5 +3 +5e-4/);
  });

  it('shows data sets with numbers of the paper, and leaves the others to table.csv', () => {
    const methods = METHODS.map(({ label }) => ({ label, paper: { average: 80 } }));
    const column = { id: 'cola', name: 'CoLA', metric: 'matthews' as const, examples: 1043 };
    const both = { ...tasks[0]!, columns: [...tasks[0]!.columns, column] };
    const values = { rte: 0.7, cola: 0.5 };
    const found = { ...runs('rte', [], { tried: 1 }), runs: [{ seed: 1, values }] };
    const shown = table([{ ...both, methods: { 'LoRA r=2': found } }], { methods, isWhole: true });
    const lines = text(shown).split('\n');
    expect(lines.filter((line) => /^(RTE|CoLA)/.test(line))).toEqual([]);
    expect(text(shown)).toMatch(/average +accuracy, % +LoRA r=2 +80\.0 +60\.0 +−20\.0 +not known +1/);
    expect(text(shown)).toContain('table.csv also has the cells');
    expect(text(shown)).toContain('No learning rate was searched.');
    expect(tableCsv(shown)).toContain('RTE,accuracy,LoRA r=2');
  });

  it('has the cells as comma-separated values in full precision', () => {
    const lines = tableCsv(table(tasks)).trim().split('\r\n');
    expect(lines).toHaveLength(4);
    const [column, metric, method, paper, here, low, high] = lines[1]!.split(',');
    expect([column, metric, method, paper]).toEqual(['RTE', 'accuracy', 'AuroRA r=2', '85.2']);
    expect(Number(high) - Number(here)).toBeCloseTo(Number(here) - Number(low), 10);
  });
});

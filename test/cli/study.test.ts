import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, describe, expect, it } from 'vitest';
import { mergedFile } from '../../src/runs/run-in-study';
import { readRun } from '../read-run';
import type { MergedMetrics } from '../../src/study/study-run';
import type { StudyLine } from '../../src/study/page-study';
import { Lab } from './lab';

const lab = new Lab({ training: { epochs: 2, learningRate: 0.02 } });
afterAll(() => lab.remove());
const out = lab.path('runs');
const LORA = 'adapter={"method":"lora","rank":2,"alpha":4,"targetModules":["query","value"]}';
for (const seed of [1, 2])
  for (const more of [[], ['--set', LORA]])
    lab.run('train', lab.experiment, '--out', out, '--set', `training.seed=${seed}`, ...more);
const runs = lab.runs(out);

const lines = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as StudyLine);

describe('aurora study', () => {
  it('shows groups of seeds, their differences, and what is missing with a hint', () => {
    const r = lab.run('study', out);
    expect([r.code, r.err]).toEqual([0, '']);
    expect(r.out).toMatch(/LoRA r=2 +\d+ +\d+\.\d ± /);
    expect(r.out).toMatch(/AuroRA r=2 +\d+ +\d+\.\d ± /);
    expect(r.out).toMatch(/The same for all groups: runs 2 · learning rate 2e-2/);
    expect(r.out.replace(/\s+/g, ' ')).toContain('Paired test over 2 seeds (1, 2) only');
    expect(r.out).toContain(
      'For 2 of the runs, the merged forms have not been measured. Add it with --measure.',
    );
    // Viewing a study changes no run.
    expect(runs.filter((run) => existsSync(join(run, 'study')))).toEqual([]);
  });

  it('measures both forms, each example and ΔW, and stores the results in the runs', () => {
    const r = lab.run('study', out, '--measure', '--json');
    expect([r.code, r.err]).toEqual([0, '']);
    const all = lines(r.out);
    expect(all.filter((l) => l.kind === 'measuring')).toHaveLength(4 * 2 + 2 * 2);
    const result = all.at(-1)!;
    if (result.kind !== 'result') throw new Error(r.out);
    const [section] = result.study.sections;
    expect(section.comparisons).toMatchObject([
      { a: 'AuroRA r=2', b: 'LoRA r=2', kind: 'crossed', seeds: [1, 2], examples: 24 },
    ]);
    for (const { runs } of section.groups)
      for (const run of runs) {
        // The predictions match the run's own measurements.
        expect(run.forms!.trained.accuracy).toBeCloseTo(run.metrics.accuracy!, 12);
        expect(run.forms!.same).toBe(run.spec.adapter.method === 'lora');
        expect(run.nonlinearity!.linear).toBe(run.spec.adapter.method === 'lora');
        expect(run.geometry!.path[0]).toMatchObject({ step: 0 });
        expect(
          run.geometry!.modules.every(
            (m) => m.values.length === 2 && m.values[0] >= m.values[1] && m.values[1] >= 0,
          ),
        ).toBe(true);
      }
    // Only changes are measured again.
    const again = lines(lab.run('study', out, '--measure', '--json').out);
    expect(again.filter((l) => l.kind === 'measuring' && l.what !== 'examples')).toEqual([]);
    expect(again.at(-1)).toEqual(result);
  });

  it('reports the same for the merged forms as the exported file', () => {
    const run = runs.find((r) => readRun(r).spec.adapter.method === 'aurora')!;
    const { step } = readRun(run).events.findLast((e) => e.kind === 'evaluation')!;
    const kept = JSON.parse(readFileSync(mergedFile(run, step), 'utf8')) as MergedMetrics;
    const folder = lab.path('merged');
    expect(
      lab.run(
        'export',
        run,
        '--as',
        'onnx-merged',
        '--merge',
        'paper',
        '--at',
        'last',
        '--accept-drop',
        '--out',
        folder,
      ).code,
    ).toBe(0);
    const { metrics } = JSON.parse(readFileSync(join(folder, 'export.json'), 'utf8')) as {
      metrics: Record<string, MergedMetrics['paper']>;
    };
    expect(kept.paper.loss).toBeCloseTo(metrics.exported.loss, 4);
    expect(kept.fitted.loss).toBeCloseTo(metrics.fitted.loss, 4);
    expect(kept.trained.loss).toBeCloseTo(metrics.trained.loss, 5);
    expect(kept.paper.loss).not.toBeCloseTo(kept.trained.loss, 4);
    // A measurement of another adapter does not apply.
    writeFileSync(mergedFile(run, step), JSON.stringify({ ...kept, adapter: 'other' }));
    expect(lab.run('study', out).out).toContain('For 1 run, the merged forms have not been measured');
    writeFileSync(mergedFile(run, step), JSON.stringify(kept));
  });

  it("writes a report with working links and the runs' numbers", () => {
    const folder = lab.path('report');
    const r = lab.run('study', lab.experiment.replace('tiny.aurora.json', 'runs'), '--out', folder);
    expect(r.out).toContain(join(folder, 'report.md'));
    const text = readFileSync(join(folder, 'report.md'), 'utf8');
    const linked = [...text.matchAll(/\]\(([^)]+)\)/g)].map((m) => m[1]);
    expect(linked.length).toBeGreaterThan(7);
    for (const file of linked) expect([file, existsSync(join(folder, file))]).toEqual([file, true]);
    expect(readdirSync(join(folder, 'figures')).sort()).toEqual(
      linked
        .filter((f) => f.endsWith('.svg'))
        .map((f) => basename(f))
        .sort(),
    );
    for (const file of readdirSync(join(folder, 'figures'))) {
      const svg = readFileSync(join(folder, 'figures', file), 'utf8');
      expect(svg).toMatch(/^<svg [^>]*role="img"/);
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
      expect(svg).toContain('prefers-color-scheme:dark');
    }
    const rows = parse(readFileSync(join(folder, 'runs.csv')), { columns: true }) as Record<string, string>[];
    expect(rows).toHaveLength(4);
    for (const row of rows) {
      const { result } = readRun(join(out, row.run));
      expect(Number(row.accuracy)).toBe((result!.last as { accuracy: number }).accuracy);
    }
    const groups = parse(readFileSync(join(folder, 'groups.csv')), { columns: true }) as Record<
      string,
      string
    >[];
    expect(groups.map((g) => [g.group, g.runs, g.compared_with])).toEqual([
      ['LoRA r=2', '2', ''],
      ['AuroRA r=2', '2', 'LoRA r=2'],
    ]);
    // A report is for others, so it has no paths of this machine.
    expect(text + readFileSync(join(folder, 'runs.csv'), 'utf8')).not.toContain(lab.folder);
  });

  it('accepts a different metric and baseline and rejects unknown ones', () => {
    const r = lab.run('study', ...runs, '--metric', 'loss', '--against', 'AuroRA r=2');
    expect(r.out.replace(/\s+/g, ' ')).toMatch(
      /The loss of LoRA r=2 is \d+\.\d% (higher|lower) than that of AuroRA r=2/,
    );
    for (const [args, code, message] of [
      [[], 2, 'needs at least one run'],
      [[out, '--metric', 'speed'], 2, '--metric takes accuracy'],
      [[out, '--against', 'DoRA'], 2, 'No group is called "DoRA"'],
      [[lab.path('none')], 20, 'is not a run and contains none'],
    ] as const)
      expect(lab.run('study', ...args)).toMatchObject({ code, err: expect.stringContaining(message) });
  });

  it('leaves out unfinished and damaged runs by name', () => {
    const [broken, empty, half] = ['broken', 'empty', 'half'].map((name) => lab.path(`mixed/${name}`));
    lab.write('mixed/broken/spec.json', '{');
    lab.write('mixed/empty/spec.json', '{}');
    lab.write('mixed/half/spec.json', readFileSync(join(runs[0], 'spec.json')));
    const failed = lab.path('mixed/failed');
    lab.write('mixed/failed/spec.json', readFileSync(join(runs[0], 'spec.json')));
    const end = { v: 1, seq: 0, t: 0, kind: 'failed', step: 0, error: 'data', message: 'no' };
    lab.write('mixed/failed/events.jsonl', `${JSON.stringify(end)}\n`);
    const r = lab.run('study', runs[0], broken, empty, half, failed);
    expect(r.out).toContain('broken is excluded: cannot be read.');
    expect(r.out).toContain('empty is excluded: cannot be read.');
    expect(r.out).toContain('half is excluded: not finished.');
    expect(r.out).toContain('failed is excluded: training failed.');
    expect(lab.run('study', half)).toMatchObject({
      code: 20,
      err: expect.stringContaining('None of these runs is finished'),
    });
    rmSync(lab.path('mixed'), { recursive: true });
  });
});

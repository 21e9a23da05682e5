import { mkdirSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Catalog } from '../../../src/extension/runs/catalog';
import { createFolder, experimentRuns, experimentSweeps, runPaths } from '../../../src/runs/layout';
import { recordSignal } from '../../../src/runs/ended/signal';
import { HEARTBEAT_TIMEOUT_MS } from '../../../src/runs/status';
import { trialOf, writeSweep, writeTrial } from '../../../src/runs/sweep/record';
import { changeUser } from '../../../src/runs/user';
import { temporaryFolders } from '../runs/folder';
import { appendRaw, evaluated, finished, makeRun, setStatus, started } from './run-maker';
import { sweepEntry } from './sweep-maker';

const folder = temporaryFolders();
const at = (second: number) => new Date(Date.UTC(2025, 0, 2, 3, 4, second));

function place(): { root: string; file: string } {
  const root = folder();
  const file = join(root, 'demo.aurora.json');
  writeFileSync(file, '{}');
  return { root, file };
}

async function catalogOf(files: string[], roots: string[], now?: () => number): Promise<Catalog> {
  const catalog = new Catalog(now);
  catalog.setPlaces(files, roots);
  await catalog.look();
  return catalog;
}

describe('the catalog of experiments and runs', () => {
  it('lists the newest run of an experiment first and includes experiments without runs', async () => {
    const { root, file } = place();
    const made = [1, 2, 3].map((s) => makeRun(file, { at: at(s), status: {}, events: [started] }));
    const other = join(root, 'sub', 'other.aurora.json');
    mkdirSync(join(root, 'sub'));
    writeFileSync(other, '{}');
    const experiments = (await catalogOf([file, other], [root])).experiments();
    expect(experiments.map((e) => [e.file, e.exists, e.runs.map((r) => r.folder)])).toEqual(
      expect.arrayContaining([
        [file, true, [...made].reverse()],
        [other, true, []],
      ]),
    );
    const own = experiments.find((e) => e.file === file);
    expect(own?.runs[0]).toMatchObject({ experiment: file, state: 'running' });
  });

  it('keeps a run outside its folders as a separate entry once it was opened', async () => {
    const { root, file } = place();
    const inside = makeRun(file, { at: at(1), status: {}, events: [started] });
    const outside = makeRun(place().file, { at: at(2), status: {}, events: [started] });
    const catalog = await catalogOf([file], [root]);
    expect(catalog.elsewhere).toEqual([]);
    for (const run of [inside, outside]) await catalog.lookAt(run);
    expect(catalog.elsewhere.map((r) => r.folder)).toEqual([outside]);
    expect(catalog.experiments().flatMap((e) => e.runs.map((r) => r.folder))).toEqual([inside]);
  });

  it('lists sweeps with their trials, notices when they start, progress and end, and which files have a sweep', async () => {
    const { root, file } = place();
    const catalog = await catalogOf([file], [root]);
    const [before] = catalog.experiments();
    expect([before.sweeps, before.hasSweep]).toEqual([[], false]);
    writeFileSync(file, '{ "sweep": {} }');
    const sweep = createFolder(join(experimentSweeps(file), '1a2b3c4d'));
    const { record } = sweepEntry('running');
    writeSweep(sweep, record);
    setStatus(sweep, { step: 0, steps: 4 });
    const run = makeRun(file, { at: at(1), status: { state: 'finished' } });
    const trial = { sweep: '1a2b3c4d', trial: 't1', number: 1, settings: record.trials[0].settings };
    writeTrial(run, trial);
    expect((await catalog.look()).structure).toBe(true);
    const [now] = catalog.experiments();
    expect([now.hasSweep, now.runs[0].trial]).toEqual([true, trial]);
    expect(now.sweeps).toMatchObject([{ folder: sweep, experiment: file, state: 'running', record }]);
    expect(catalog.active).toBe(true);
    // A heartbeat is not a structural change; a started trial is.
    setStatus(sweep, { step: 1, steps: 4 });
    expect((await catalog.lookAtActive()).structure).toBe(false);
    record.trials[1].run = 'other';
    writeSweep(sweep, record);
    expect((await catalog.lookAtActive()).structure).toBe(true);
    setStatus(sweep, { state: 'stopped' });
    expect((await catalog.lookAtActive()).structure).toBe(true);
    expect(catalog.experiments()[0].sweeps[0].state).toBe('stopped');
    // If the sweep's file is damaged, its trials are shown as runs.
    writeFileSync(runPaths(run).trial, '{"half');
    expect(trialOf(run)).toBeUndefined();
    writeFileSync(join(sweep, 'sweep.json'), '{"half');
    await catalog.look();
    expect(catalog.experiments()[0]).toMatchObject({ sweeps: [], runs: [{ folder: run }] });
    rmSync(sweep, { recursive: true });
    await catalog.look();
    expect(catalog.experiments()[0].sweeps).toEqual([]);
  });

  it('shows a damaged run with its error beside all others (T6)', async () => {
    const { root, file } = place();
    const good = makeRun(file, { at: at(1), status: { state: 'stopped' } });
    const bad = makeRun(file, { at: at(2), status: {} });
    writeFileSync(runPaths(bad).spec, '{"name":');
    const foreign = makeRun(file, { at: at(3) });
    writeFileSync(runPaths(foreign).spec, '{"name":"of another program"}');
    const [{ runs }] = (await catalogOf([file], [root])).experiments();
    expect(runs.map((r) => [r.folder, r.state])).toEqual([
      [foreign, 'damaged'],
      [bad, 'damaged'],
      [good, 'stopped'],
    ]);
    expect(runs[1].error?.message).toContain(runPaths(bad).spec);
    expect(runs[0].error?.message).toContain('is not the experiment of a run: model is missing');
  });

  it('shows a run again once its damaged file is repaired', async () => {
    const { root, file } = place();
    const run = makeRun(file, { status: { state: 'stopped' } });
    const spec = runPaths(run).spec;
    renameSync(spec, `${spec}.away`);
    utimesSync(run, at(0), at(0));
    const catalog = await catalogOf([file], [root]);
    expect(catalog.run(run)?.state).toBe('damaged');
    renameSync(`${spec}.away`, spec);
    const changes = await catalog.look();
    expect(changes.runs.map((r) => r.state)).toEqual(['stopped']);
  });

  it('marks a "running" run without a process as lost, and a resumed one as running (T2)', async () => {
    const { root, file } = place();
    const dead = makeRun(file, {
      at: at(1),
      events: [started],
      status: { started: 1, heartbeat: Date.now() },
    });
    const neverStarted = makeRun(file, { at: at(2) });
    utimesSync(runPaths(neverStarted).spec, at(2), at(2));
    const foreignDone = makeRun(file, {
      at: at(3),
      events: [started],
      status: { host: 'elsewhere', boot: 'another', heartbeat: 0 },
      result: { steps: 120 },
    });
    const catalog = await catalogOf([file], [root]);
    expect([dead, neverStarted, foreignDone].map((r) => catalog.run(r)?.state)).toEqual([
      'lost',
      'lost',
      'finished',
    ]);
    setStatus(dead, {});
    expect((await catalog.look()).runs.map((r) => [r.folder, r.state])).toEqual([[dead, 'running']]);
  });

  it('knows the signal that ended the trainer of a lost run, once it is recorded', async () => {
    const { root, file } = place();
    const run = makeRun(file, { events: [started], status: { started: 1 } });
    const catalog = await catalogOf([file], [root]);
    expect(catalog.run(run)?.end).toEqual({});
    recordSignal(run, process.pid, 'SIGKILL');
    expect((await catalog.look()).runs.map((r) => [r.state, r.end])).toEqual([
      ['lost', { signal: 'SIGKILL' }],
    ]);
  });

  it('marks a run on another machine as lost when its heartbeat ends, without a change of any file', async () => {
    const { root, file } = place();
    const run = makeRun(file, { events: [started], status: { host: 'elsewhere', boot: 'another' } });
    let now = Date.now();
    const catalog = await catalogOf([file], [root], () => now);
    expect(catalog.active).toBe(true);
    now += HEARTBEAT_TIMEOUT_MS + 1;
    expect((await catalog.lookAtActive()).runs.map((r) => [r.folder, r.state])).toEqual([[run, 'lost']]);
    expect(catalog.active).toBe(false);
  });

  it('picks up and follows a run started on the command line and reports only changes (T9)', async () => {
    const { root, file } = place();
    const old = makeRun(file, {
      at: at(1),
      status: { state: 'finished' },
      events: [started, finished(120, 0.9)],
    });
    utimesSync(old, at(1), at(1));
    const catalog = await catalogOf([file], [root]);
    expect(await catalog.look()).toEqual({ runs: [], structure: false });
    const run = makeRun(file, { at: at(2), status: {} });
    expect(await catalog.look()).toMatchObject({
      structure: true,
      runs: [{ folder: run, state: 'starting' }],
    });
    appendRaw(run, `${JSON.stringify({ v: 1, seq: 0, t: 1, ...started })}\n`);
    expect(await catalog.lookAtActive()).toMatchObject({ runs: [{ folder: run, state: 'running' }] });
    appendRaw(run, `${JSON.stringify({ v: 1, seq: 1, t: 2, ...evaluated(40, 0.5) })}\n`);
    const [entry] = (await catalog.lookAtActive()).runs;
    expect(entry.run?.events.at(-1)).toMatchObject({ kind: 'evaluation', step: 40 });
    setStatus(run, { state: 'stopped', step: 41 });
    expect(await catalog.lookAtActive()).toMatchObject({ runs: [{ folder: run, state: 'stopped' }] });
    expect(await catalog.lookAtActive()).toEqual({ runs: [], structure: false });
  });

  it('ignores events of an unknown kind or a newer version (T11)', async () => {
    const { root, file } = place();
    const run = makeRun(file, { events: [started], status: {} });
    appendRaw(run, `${JSON.stringify({ v: 1, seq: 1, t: 2, kind: 'telepathy' })}\n`);
    appendRaw(run, `${JSON.stringify({ v: 99, seq: 2, t: 3, kind: 'evaluation' })}\n{"torn`);
    const catalog = await catalogOf([file], [root]);
    expect(catalog.run(run)?.run?.events.map((e) => e.kind)).toEqual(['started']);
  });

  it('keeps the runs of an experiment after its file is deleted', async () => {
    const { root, file } = place();
    const run = makeRun(file, { status: { state: 'stopped' } });
    rmSync(file);
    const catalog = await catalogOf([], [root]);
    expect(catalog.experiments()).toMatchObject([{ file, exists: false, runs: [{ folder: run }] }]);
    rmSync(run, { recursive: true });
    expect((await catalog.look()).structure).toBe(true);
    expect(catalog.experiments()).toEqual([]);
  });

  it('notices an experiment file that is deleted or renamed', async () => {
    const { root, file } = place();
    makeRun(file, { status: { state: 'stopped' } });
    const catalog = await catalogOf([file], [root]);
    const renamed = join(root, 'new.aurora.json');
    renameSync(file, renamed);
    catalog.addFile(renamed);
    expect((await catalog.look()).structure).toBe(true);
    expect(catalog.experiments().map((e) => [basename(e.file), e.exists, e.runs.length])).toEqual([
      ['demo.aurora.json', false, 1],
      ['new.aurora.json', true, 0],
    ]);
  });

  it("notices when the user changes a run's name, star or note", async () => {
    const { root, file } = place();
    const run = makeRun(file, { status: { state: 'stopped' } });
    const catalog = await catalogOf([file], [root]);
    changeUser(run, { name: 'rank 2', star: true });
    expect((await catalog.look()).runs).toMatchObject([{ user: { name: 'rank 2', star: true } }]);
    writeFileSync(runPaths(run).user, '{');
    await catalog.look();
    expect(catalog.run(run)).toMatchObject({ state: 'stopped', user: {} });
  });

  it('adds a run as soon as it is looked at, under its experiment or elsewhere', async () => {
    const { root, file } = place();
    const catalog = await catalogOf([file], [root]);
    const run = makeRun(file, { status: {} });
    expect(await catalog.lookAt(run)).toMatchObject({ structure: true, runs: [{ folder: run }] });
    expect(catalog.experiments()).toMatchObject([{ file, runs: [{ folder: run }] }]);
    rmSync(run, { recursive: true });
    expect(await catalog.lookAt(run)).toEqual({ structure: true, runs: [] });
    expect(catalog.experiments()).toMatchObject([{ file, runs: [] }]);
    const elsewhere = makeRun(join(folder(), 'far.aurora.json'), { status: {} });
    await catalog.lookAt(elsewhere);
    expect(catalog.run(elsewhere)?.state).toBe('starting');
    expect(catalog.experiments()).toHaveLength(1);
    expect(await catalog.lookAt(join(root, 'none'))).toMatchObject({ runs: [] });
    expect(catalog.run(join(root, 'none'))).toBeUndefined();
  });

  it('does not list a run folder before its spec is written', async () => {
    const { root, file } = place();
    const young = join(experimentRuns(file), '20250102T030405Z-00000000');
    mkdirSync(young, { recursive: true });
    const catalog = await catalogOf([file], [root]);
    expect(catalog.experiments()[0].runs).toEqual([]);
    utimesSync(young, at(1), at(1));
    await catalog.look();
    expect(catalog.experiments()[0].runs).toMatchObject([{ state: 'damaged' }]);
  });
});

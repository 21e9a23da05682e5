import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { claimPanel } from '../../../src/extension/panels/claim/claim-panel';
import { ClaimSession } from '../../../src/extension/panels/claim/claim-session';
import { Catalog, type CatalogExperiment } from '../../../src/extension/runs/catalog';
import { inProgress, isIdle } from '../../../src/extension/queue/in-progress';
import { claimRow, claimWith, placeOfClaim } from '../../../src/extension/words/claim-row';
import { claimEndText } from '../../../src/extension/words/claim-end-text';
import { sweepRow } from '../../../src/extension/words/sweep-row';
import { claimOfSweep, claimPaths, claimSweepFolder } from '../../../src/runs/claim-folder';
import { clusterPath } from '../../../src/runs/sweep/cluster-file';
import { readSweep, writeSweep } from '../../../src/runs/sweep/record';
import type { ClaimFacts, ClaimToPage } from '../../../src/study/claim/claim-messages';
import { costWords } from '../../../src/study/claim/claim-words';
import { looksAt } from '../../../src/study/claim/look-plan';
import { temporaryFolders } from '../runs/folder';
import { claim, type ClaimMade, frozen, LABELS, makeClaim, NAME, SENTENCE } from './claim-folder';
import { context } from './row-context';
import { setSweepStatus } from './sweep-folder';

const folder = temporaryFolders();

async function look(made: ClaimMade, change: (folder: string) => void = () => {}) {
  const file = join(folder(), 'demo.aurora.json');
  const at = makeClaim(file, made);
  change(at);
  const catalog = new Catalog();
  writeFileSync(file, '{}');
  catalog.setPlaces([file], [dirname(file)]);
  await catalog.look();
  const [found] = catalog.experiments();
  return { file, at, catalog, found, entry: found.claims.at(0) };
}

/** The facts of a claim's page, through its session. */
async function factsOf(made: ClaimMade, change?: (folder: string) => void): Promise<ClaimFacts> {
  const { catalog, at } = await look(made, change);
  const message = await new Promise<ClaimToPage>((resolve) => {
    const session = new ClaimSession({
      post: resolve,
      async read() {
        await catalog.look();
        const [found] = catalog.experiments();
        const entry = found.claims.find((c) => c.folder === at);
        return entry ? { claim: entry, sweeps: found.sweeps, runs: found.runs } : 'gone';
      },
      context: () => context,
      failed: (e) => {
        throw e;
      },
    });
    session.snapshot();
  });
  if (message.type !== 'claim') throw new Error(JSON.stringify(message));
  return structuredClone(message.facts);
}

describe('the page of a claim', () => {
  it('has the search so far: a mean where all seeds of some values have ended', async () => {
    const { state, sentence, search, phase, tests, cost, looks } = await factsOf({
      until: 'search',
    });
    expect([state, sentence, cost?.most.runs, tests, looks]).toEqual(['running', SENTENCE, 36, [], []]);
    expect(search.map(({ label, tried }) => [label, tried.map(({ mean }) => mean)])).toEqual([
      ['AuroRA r=2', [expect.closeTo(0.7), expect.closeTo(0.75)]],
      ['LoRA r=2', [expect.closeTo(0.72), expect.closeTo(0.77)]],
      ['LoRA r=8', [undefined, undefined]],
    ]);
    expect(phase).toMatchObject({ phase: 'search', state: 'running', parallel: 1 });
    expect(phase!.trials.map((t) => t.state)).toEqual([...Array(4).fill('finished'), 'running', 'queued']);
  });

  it('has the test so far, with the look that did not decide', async () => {
    const { search, phase, tests, looks } = await factsOf({ until: 'test' });
    expect(search.map(({ chosen }) => chosen)).toEqual(Array(3).fill({ 'training.learningRate': 0.01 }));
    expect([phase?.phase, looks.map(({ verdict }) => verdict)]).toEqual(['test', ['open']]);
    expect(tests).toHaveLength(30);
    expect(tests.slice(14, 17).map(({ method, seed, state }) => [method, seed, state])).toEqual([
      [2, 5, 'finished'],
      [0, 6, 'running'],
      [1, 6, 'queued'],
    ]);
    expect(tests.filter(({ run }) => run !== undefined)).toHaveLength(16);
  });

  it('has the verdict of a closed one, whose runs can be opened', async () => {
    const facts = await factsOf({ verdict: 'refuted' });
    expect(facts).toMatchObject({ state: 'closed', canContinue: false, canCheck: true, labels: LABELS });
    expect(facts.certificate?.verdict).toBe('refuted');
    expect(facts.phase).toBeUndefined();
    expect(facts.tests).toHaveLength(15);
    expect(facts.tests[4]).toMatchObject({
      method: 1,
      seed: 2,
      state: 'finished',
      results: { trained: 0.812 },
    });
    expect(facts.tests.every(({ run }) => run?.startsWith(dirname(dirname(facts.folder))) === false)).toBe(
      true,
    );
  });

  it('is complete without the sweeps and runs of a closed claim, and shows what was left out', async () => {
    const facts = await factsOf({ isBare: true, verdict: 'open' });
    expect([facts.tests.length, facts.tests.at(-1)!.state, facts.search.length]).toEqual([15, 'diverged', 3]);
    expect(facts.tests.some(({ run }) => run !== undefined)).toBe(false);
  });

  it('can be continued if its process ended, and shows the error that ended it', async () => {
    const error = { message: 'Every trial of LoRA r=8 diverged.', hint: 'Search lower learning rates.' };
    const failed = await factsOf({ until: 'search', status: { state: 'failed' }, progress: { error } });
    expect(failed).toMatchObject({ state: 'failed', canContinue: true, error });
    const lost = await factsOf({
      until: 'test',
      status: { host: 'elsewhere', boot: 'another', heartbeat: Date.now() - 3_600_000 },
    });
    expect([lost.state, lost.canContinue]).toEqual(['lost', true]);
  });
});

describe('a damaged or hostile claim', () => {
  const write = (name: string, text: string) => (at: string) => writeFileSync(join(at, name), text);

  it.each([
    ['no JSON', write('certificate.json', '{"version": 1,'), 'certificate.json is not valid JSON'],
    ['another version', write('certificate.json', '{"version": 9}'), 'not a certificate of this version'],
    ['a list', write('frozen.json', '[1, 2]'), 'not a claim of this version'],
    [
      'a method out of range',
      write(
        'frozen.json',
        JSON.stringify({
          ...frozen,
          claim: {
            ...claim,
            sides: [
              { method: 7, form: 'trained' },
              { method: 0, form: 'trained' },
            ],
          },
        }),
      ),
      'not a claim of this version',
    ],
    ['too large', write('frozen.json', ' '.repeat(9 * 2 ** 20)), 'frozen.json'],
    [
      'no regular file',
      (at: string) => {
        rmSync(claimPaths(at).certificate);
        mkdirSync(claimPaths(at).certificate);
      },
      'certificate.json',
    ],
    [
      'a device',
      (at: string) => {
        rmSync(claimPaths(at).certificate);
        symlinkSync('/dev/zero', claimPaths(at).certificate);
      },
      'certificate.json',
    ],
  ])('is shown with the reason: %s', async (_, change, reason) => {
    const { entry, found } = await look({ isBare: true }, change);
    expect(entry).toMatchObject({ state: 'damaged', problem: expect.stringContaining(reason) as string });
    const row = claimRow(entry!, found.sweeps, found.runs, context);
    expect(row.icon.id).toBe('warning');
    expect(row.capabilities).toEqual(['claim', 'canOpenClaim']);
    const facts = await factsOf({ isBare: true }, change);
    expect([facts.state, facts.canCheck, facts.canContinue]).toEqual(['damaged', false, false]);
  });

  it('is named by its hash if its progress is damaged, and keeps its state', async () => {
    for (const text of ['{', '{"version":1,"sentence":"Other","labels":["only one"]}']) {
      const { entry } = await look({ until: 'search' }, write('progress.json', text));
      expect([entry?.state, entry?.progress]).toEqual(['running', undefined]);
      expect(claimRow(entry!, [], [], context).label).toBe(`Claim: ${NAME}`);
    }
  });

  it('has no row before it is frozen, and none for a folder without files', async () => {
    expect((await look({ until: 'frozen' }, (at) => rmSync(claimPaths(at).frozen))).entry).toBeUndefined();
    const { found } = await look({ until: 'frozen' }, (at) => mkdirSync(join(dirname(at), 'abc')));
    expect(found.claims).toHaveLength(1);
  });

  it('opens no panel for a path that is no claim', () => {
    const panel = claimPanel(() => undefined as never);
    expect(panel.parseOpen({ claim: `/w/.aurora/claims/demo/${NAME}` })).toBeDefined();
    for (const path of ['/etc', 'claims/demo/x', '/w/.aurora/runs/demo/x', 7])
      expect(panel.parseOpen({ claim: path })).toBeUndefined();
    expect(panel.parse({ type: 'action', action: 'delete' })).toBeUndefined();
    expect(panel.parse({ type: 'action', action: 'check' })).toBeDefined();
  });
});

describe('the row of a claim', () => {
  it('has its progress, then its verdict', async () => {
    const rows = async (made: ClaimMade) => {
      const { entry, found } = await look(made);
      const { label, description, capabilities } = claimRow(entry!, found.sweeps, found.runs, context);
      expect(label).toBe(`Claim: ${SENTENCE}`);
      return [description, capabilities.slice(2)];
    };
    expect(await rows({ until: 'search' })).toEqual(['running · search: 4 of 6', ['canStopClaim']]);
    expect(await rows({ until: 'test', status: { state: 'stopped' } })).toEqual([
      'stopped · test: 15 of 30',
      ['canContinueClaim'],
    ]);
    expect(await rows({ isBare: true, verdict: 'supported' })).toEqual(['holds', ['canOpenCertificate']]);
    expect(await rows({ isBare: true, verdict: 'refuted' })).toEqual([
      'does not hold',
      ['canOpenCertificate'],
    ]);
  });

  it('on a cluster leaves this machine free, and can be stopped while trials wait there', async () => {
    const onSlurm = (state: 'running' | 'stopped') => (at: string) => {
      const search = claimSweepFolder(at, 'search');
      writeSweep(search, { ...readSweep(search)!, on: 'slurm' });
      const trials = { t6: { state: 'queued', job: '1_5' } };
      const cluster = { version: 1, executor: 'slurm', place: 'login', at: Date.now(), trials };
      writeFileSync(clusterPath(search), JSON.stringify(cluster));
      if (state === 'stopped') setSweepStatus(search, { state });
    };
    const idle = async (found: CatalogExperiment) =>
      isIdle(
        await inProgress({
          experiments: () => Promise.resolve([{ ...found, name: 'demo' }]),
          runs: () => Promise.resolve([]),
        }),
      );
    const here = await look({ until: 'search' });
    expect([placeOfClaim(here.entry!, here.found.sweeps), await idle(here.found)]).toEqual(['local', false]);
    const cost = { runs: [], least: { runs: 21 }, most: { runs: 36 } };
    const there = await look({ until: 'search', progress: { cost } }, onSlurm('running'));
    // Nothing was measured.
    expect(costWords(there.entry!.progress!.cost!)).toEqual(['The claim takes 21 to 36 runs.']);
    expect([placeOfClaim(there.entry!, there.found.sweeps), await idle(there.found)]).toEqual([
      'slurm',
      true,
    ]);
    const { entry, found } = await look(
      { until: 'search', status: { state: 'stopped' } },
      onSlurm('stopped'),
    );
    expect(claimRow(entry!, found.sweeps, found.runs, context).capabilities.slice(2)).toEqual([
      'canStopClaim',
      'canContinueClaim',
    ]);
    expect(sweepRow(found.sweeps[0], found.runs, context).capabilities).toEqual(['sweep', 'canOpenSweep']);
  });

  it('is found by the settings of the text', async () => {
    const { entry, found } = await look({ isBare: true });
    const { experiment, looks } = frozen;
    expect(claimWith(found.claims, { claim, looks, experiment })).toBe(entry);
    expect(claimWith(found.claims, { claim: { ...claim, seed: 2 }, looks, experiment })).toBeUndefined();
    expect(claimWith(found.claims, { claim, looks: looksAt([5]), experiment })).toBeUndefined();
  });

  it('is above its sweeps, which cannot be resumed without it', async () => {
    const { found, at } = await look({ until: 'test', status: { state: 'stopped' } });
    const sweeps = found.sweeps.map((sweep) => sweepRow({ ...sweep, state: 'stopped' }, found.runs, context));
    expect(sweeps.map(({ label }) => label).sort()).toEqual(['Search of the claim', 'Test of the claim']);
    expect(sweeps.flatMap(({ capabilities }) => capabilities)).not.toContain('canGoOn');
    expect(found.sweeps.map(({ folder }) => claimOfSweep(folder)?.claim)).toEqual([at, at]);
    expect(claimOfSweep(join(dirname(found.sweeps[0].folder), '1a2b3c4d'))).toBeUndefined();
  });

  it('is followed by a notification when it ends', async () => {
    const text = async (made: ClaimMade) => claimEndText((await look(made)).entry!);
    expect(await text({ isBare: true, verdict: 'supported' })).toEqual({
      kind: 'information',
      message: `The claim holds. ${SENTENCE}`,
    });
    const error = { message: 'The disk is full.' };
    expect(
      await text({ isBare: true, until: 'test', status: { state: 'failed' }, progress: { error } }),
    ).toEqual({
      kind: 'error',
      message: 'The claim of demo ended with an error. The disk is full.',
    });
  });
});

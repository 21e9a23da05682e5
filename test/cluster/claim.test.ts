import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { claimPaths, claimPlace, type ClaimPhase, claimSweepFolder } from '../../src/runs/claim-folder';
import { readSweep } from '../../src/runs/sweep/record';
import type { Certificate } from '../../src/study/claim/certificate';
import type { Lab } from '../cli/lab';
import { tinyClaim } from '../cli/tiny-claim';
import { until } from '../until';
import { Queue } from './queue';
import { hasSlurm, Slurm } from './slurm';
import { hasSshd, startSshd, type Sshd } from './sshd';
import { Trainers } from './trainers';

const SETTINGS = { parallel: 2, memory: '3G', signalBefore: 120 };
/** As many as a job has. */
const SAME = ['--threads', '1', '--device', 'cpu'];

const claim = (lab: Lab, env: NodeJS.ProcessEnv, ...more: string[]): Queue =>
  new Queue(['claim', lab.experiment, ...SAME, ...more], env);

/** The folder of a lab's only claim. */
function folderOf(lab: Lab): string {
  const home = lab.path('.aurora/claims/tiny');
  return join(home, readdirSync(home)[0]!);
}

const certificateOf = (lab: Lab): Certificate =>
  JSON.parse(readFileSync(claimPaths(folderOf(lab)).certificate, 'utf8')) as Certificate;

/** Folders of runs have random names. */
function withoutNames({ runs, ...rest }: Certificate) {
  return { ...rest, runs: runs.map((run) => ({ ...run, run: '' })) };
}

/** The names of the runs of a phase. */
function runsOf(lab: Lab, phase: ClaimPhase): string[] {
  if (!existsSync(lab.path('.aurora/claims/tiny'))) return [];
  return readSweep(claimSweepFolder(folderOf(lab), phase))?.trials.flatMap(({ run }) => run ?? []) ?? [];
}

describe.skipIf(!hasSlurm)('a claim on Slurm', () => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'a-')));
  const labs: Lab[] = [];
  let local: Certificate;
  let slurm: Slurm;
  let trainers: Trainers | undefined;

  const newLab = (place: object = {}): Lab => {
    const lab = tinyClaim(3, { cluster: { slurm: { ...SETTINGS, ...place } } });
    labs.push(lab);
    return lab;
  };
  beforeAll(async () => {
    const lab = newLab();
    const here = claim(lab, process.env, '--parallel', '2');
    expect(await here.ended, here.text).toBe(0);
    local = certificateOf(lab);
  });
  beforeEach(async () => {
    slurm = await Slurm.start();
  });
  afterEach(async () => {
    trainers?.stop();
    await Queue.killAll();
    await slurm?.stop();
  });
  afterAll(() => {
    labs.forEach((lab) => lab.remove());
    rmSync(folder, { recursive: true, force: true });
  });

  /** Suspends the trainers of a phase, and waits for the first one. */
  async function held(lab: Lab, phase: ClaimPhase, queue: Queue): Promise<void> {
    const isOf = (run: string) => runsOf(lab, phase).includes(basename(run));
    let some = false;
    trainers!.hold(({ run }) => {
      const isHeld = isOf(run);
      some ||= isHeld;
      return isHeld;
    });
    await until(() => some || queue.hasEnded, 100);
    if (queue.hasEnded) throw new Error(`it ended before its ${phase} had begun:\n${queue.text}`);
  }

  it('ends like a local one after it was killed, stopped and continued', async () => {
    const lab = newLab();
    trainers = new Trainers(lab.folder);
    const killed = claim(lab, slurm.env, '--on', 'slurm');
    await held(lab, 'search', killed);
    // Nothing is measured for other machines.
    expect(killed.text).toContain('The claim takes 8 runs.');
    await killed.kill();

    // It continues where it began, also with the trials that have not begun.
    const stopped = claim(lab, slurm.env);
    await held(lab, 'test', stopped);
    expect(claimPlace(folderOf(lab))).toBe('slurm');
    const control = join(folderOf(lab), 'control');
    mkdirSync(control, { recursive: true });
    writeFileSync(join(control, 'stop'), '');
    trainers.hold(() => false);
    expect(await stopped.ended, stopped.text).toBe(130);
    // Whoever stops a claim does not want its trials to wait in the queue.
    expect(slurm.command('squeue', '-h').trim()).toBe('');
    expect(existsSync(claimPaths(folderOf(lab)).certificate)).toBe(false);

    const last = claim(lab, slurm.env);
    expect(await last.ended, last.text).toBe(0);
    expect(withoutNames(certificateOf(lab))).toEqual(withoutNames(local));
    expect([...trainers.twice]).toEqual([]);
  });

  it.skipIf(!hasSshd)(
    'behind a login node without a shared folder, is left there by Ctrl-C, and canceled',
    async () => {
      const { PATH, SLURM_CONF } = slurm.env;
      const sshd: Sshd = await startSshd(mkdtempSync(join(folder, 's')), {
        PATH: PATH!,
        SLURM_CONF: SLURM_CONF!,
      });
      try {
        const env = { ...process.env, ...sshd.env };
        const lab = newLab({ host: 'cluster', folder: mkdtempSync(join(folder, 'there-')) });
        trainers = new Trainers(lab.folder);
        const left = claim(lab, env, '--on', 'slurm');
        await held(lab, 'search', left);
        left.interrupt();
        expect(await left.ended, left.text).toBe(130);
        expect(left.text).toContain('they stay on Slurm');
        expect(slurm.command('squeue', '-h').trim()).not.toBe('');
        // An experiment that was edited makes another claim; this one is the only one that is open.
        const canceling = claim(lab, env, '--cancel', '--set', 'training.weightDecay=0.5');
        trainers.hold(() => false);
        expect(await canceling.ended, canceling.text).toBe(0);
        expect(slurm.command('squeue', '-h').trim()).toBe('');
        const last = claim(lab, env);
        expect(await last.ended, last.text).toBe(0);
        expect(withoutNames(certificateOf(lab))).toEqual(withoutNames(local));
        const check = lab.run('claim', '--check', claimPaths(folderOf(lab)).certificate, '--quiet');
        expect(check.out).toMatch(/^The certificate follows from its 8 runs\./);
      } finally {
        await sshd.stop();
      }
    },
  );
});

import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import type { ExecutorName } from '../../../experiment/cluster';
import type { StopReason } from '../../../protocol/events';
import { readExperiment } from '../../../runs/experiment/load';
import { claimOf, type PlannedClaim } from '../../../runs/experiment/claim-trials';
import { claimPaths, claimPlace } from '../../../runs/claim-folder';
import { createFolder, experimentSweeps } from '../../../runs/layout';
import type { ClaimLine } from '../../../study/claim/certificate';
import type { AnnouncedCost } from '../../../study/claim/claim-files';
import { claimSentence, methodLabels } from '../../../study/claim/claim-words';
import { readCertificate, writeCertificate } from '../../../sweeps/claims/certificate-file';
import { type ClaimHost, workOnClaim } from '../../../sweeps/claims/claim-work';
import { claimCost, measureRuns } from '../../../sweeps/claims/cost';
import { freeze, type Frozen, readFrozen, writeFrozen } from '../../../sweeps/claims/freeze';
import { ProgressFile } from '../../../sweeps/claims/progress-file';
import { CLUSTER_STOP_MS, SweepWork } from '../../../sweeps/sweep-work';
import { problemOf } from '../../../training/preflight/preflight-problems';
import { one, type Command, type ParsedArgs } from '../../command';
import { deviceRequest, PLACE_HELP, PLACE_VALUES } from '../../device-options';
import { write } from '../../output';
import { owning, TAKE_OVER_HELP } from '../../owning';
import { onInterrupt } from '../../signals';
import {
  interruptedWords,
  optionsOf,
  ownedBy,
  PLACES,
  Shown,
  TRIAL_OPTIONS,
  viewOf,
} from '../sweep/trial-options';
import { cancelClaim } from './cancel';
import { checkCommand, replayCommand } from './check';
import { ClaimLines } from './claim-progress';
import { withPulse } from './claim-pulse';

export const claimCommand: Command = {
  help: `Usage: aurora claim FILE.aurora.json [options]
       aurora claim --check CERTIFICATE
       aurora claim --replay N CERTIFICATE

Tests the claim in the file's "claim" section, such as "AuroRA of rank 2 is better than LoRA of rank 8". First freezes it:
the claim, the experiment, and the SHA-256 of model and data name a folder in .aurora/claims beside the file. Then
searches the best settings of each method with the same trials, trains both methods with new seeds, and decides by
rules that are fixed: after 5 seeds, and if that does not decide, after 10, or at the looks in the section. Writes a
certificate. Changing anything makes another claim. Ctrl-C saves and stops; the same command continues, and a closed
claim is not tested again.

  --dry-run          freeze nothing; show the claim and what it costs, which is measured if it is tested on this machine
  --seconds LIST     seconds of a run of each method, as --dry-run has measured them: they are not measured again
  --check            compute a certificate's verdict again from the run folders; exits with 1 if it does not follow
  --replay N         also train N runs of a certificate again, drawn at random, and compare them
  --runs FOLDER      for a certificate elsewhere: the folder of its runs (.aurora/runs/NAME)
  --on PLACE         local, slurm or kubernetes: where trials are trained (default: where the claim began, else local).
                     Ctrl-C leaves those on a cluster there, and the same command follows them again
  --cluster FILE     settings of a cluster in a JSON file, for what the experiment's section leaves out
  --parallel N       trials to run in parallel (default: measured)
  --set KEY=VALUE    override a setting of the experiment (may be given several times); makes another claim
  --hash DIGITS      only the claim that was frozen with this hash: an error if the file would make another one
  --cancel           cancel the trials that wait or run on a cluster; the claim can be continued. If the file was edited
                     since, those of its only open claim, or of the one that --hash names
  --lease            stop when the file control/lease in the claim's folder has not been touched for a minute
  --json             JSON lines: frozen, cost, phase, searched, measuring, look, result, problem, and those of sweeps;
                     with --check, checking and checked; with --replay, also replayed
${TAKE_OVER_HELP}${PLACE_HELP}  --threads N        threads per trial on the CPU (default: cores divided by parallel trials)

Exits with 0 when the claim is closed, whatever the verdict, and with 130 if it was stopped.
`,
  options: {
    ...TRIAL_OPTIONS,
    'dry-run': { type: 'boolean' },
    seconds: { type: 'string' },
    check: { type: 'boolean' },
    replay: { type: 'string' },
    runs: { type: 'string' },
    hash: { type: 'string' },
    cancel: { type: 'boolean' },
  },
  values: { ...PLACE_VALUES, on: PLACES },
  async run(args) {
    if (args.flag('check')) return checkCommand(args);
    if (args.text('replay') !== undefined) return replayCommand(args);
    const json = args.flag('json');
    const lines = new ClaimLines();
    const emit = (line: ClaimLine) => (json ? write(`${JSON.stringify(line)}\n`) : lines.show(line));
    try {
      return await testClaim(args, emit);
    } catch (e) {
      if (json && e instanceof AuroraError) await emit(problemOf(e));
      throw e;
    }
  },
};

async function testClaim(args: ParsedArgs, emit: (line: ClaimLine) => Promise<void>): Promise<number> {
  const file = resolve(one(args, 'experiment file', 'claim'));
  deviceRequest(args);
  const plan = claimOf(readExperiment(file, args.list('set')));
  const seconds = secondsOf(args, plan.specs.length);
  const frozen = await freeze(plan);
  // A file that was edited makes another claim than the one whose trials wait.
  if (args.flag('cancel')) return cancelClaim(args, plan, frozen.folder);
  const expected = args.text('hash');
  if (expected !== undefined && !frozen.hash.startsWith(expected))
    throw new AuroraError(
      'usage',
      `The experiment, its model or its data have changed: they now make the claim ${frozen.hash.slice(0, 12)}, not ${expected}.`,
      'Undo the change to continue the claim, or test the other one.',
    );
  const sentence = claimSentence(plan.claim, plan.specs);
  const closed = readCertificate(claimPaths(frozen.folder).certificate);
  if (closed)
    throw new AuroraError(
      'usage',
      `This claim is closed: ${sentence} Its certificate is ${claimPaths(frozen.folder).certificate}.`,
      'A claim is tested once. Another number as claim.seed makes another claim, with new seeds.',
    );
  const isBegun = readFrozen(frozen) !== undefined;
  if (!isBegun) warnOfOthers(frozen);
  await emit({ kind: 'frozen', sentence, hash: frozen.hash, folder: frozen.folder });
  const on = optionsOf(args).on ?? claimPlace(frozen.folder) ?? 'local';
  const costLine = async () => ({ kind: 'cost' as const, ...(await costOf(args, plan, on, seconds)) });
  if (args.flag('dry-run')) {
    await emit(await costLine());
    return EXIT.ok;
  }
  createFolder(frozen.folder);
  const before = claimPlace(frozen.folder) ?? on;
  const owned = { ...ownedBy(args, frozen.folder, before), what: 'claim' as const };
  return owning(owned, async () => {
    const waiting = { lease: args.flag('lease'), ...(on !== 'local' && { stopTimeout: CLUSTER_STOP_MS }) };
    const certificate = await withPulse(frozen.folder, waiting, async (pulse) => {
      const progress = ProgressFile.open(frozen.folder, frozen.frozen, {
        sentence,
        labels: methodLabels(plan.specs),
      });
      const told = async (line: ClaimLine) => {
        progress.add(line);
        await emit(line);
      };
      try {
        if (!isBegun) await told(await costLine());
        writeFrozen(frozen);
        // From now on it has begun, for the editor that started it.
        pulse.progress(0, 1);
        const stop = {
          interrupted: onInterrupt(interruptedWords(on)),
          requested: () => pulse.stopRequested(),
        };
        const found = await workOnClaim(plan, frozen, hostOf(args, plan, on, told, stop));
        if (found) writeCertificate(frozen.folder, found);
        return found;
      } catch (e) {
        if (e instanceof AuroraError) progress.fail(e);
        throw e;
      }
    });
    if (!certificate) return EXIT.stopped;
    await emit({ kind: 'result', certificate, folder: frozen.folder });
    return EXIT.ok;
  });
}

/**
 * The cost of a claim. On a cluster, nothing is measured: its nodes are other machines.
 *
 * @param known the seconds of a run of each method, if they have been measured
 */
async function costOf(
  args: ParsedArgs,
  plan: PlannedClaim,
  on: ExecutorName,
  known: readonly number[] | undefined,
): Promise<AnnouncedCost> {
  if (on !== 'local') return { runs: [], ...claimCost(plan) };
  const { engine, device, fallBack } = optionsOf(args);
  const place = [
    ...(engine === undefined ? [] : ['--engine', engine]),
    ...(device === undefined ? [] : ['--device', device]),
    ...(fallBack ? ['--fallback'] : []),
  ];
  const seconds = known ?? (await measureRuns(plan.specs, join(__dirname, 'cli.cjs'), place));
  const labels = methodLabels(plan.specs);
  return {
    runs: seconds.map((one, i) => ({ label: labels[i]!, seconds: one })),
    ...claimCost(plan, seconds),
  };
}

/** The value of --seconds. */
function secondsOf(args: ParsedArgs, methods: number): number[] | undefined {
  const given = args.text('seconds');
  if (given === undefined) return undefined;
  const seconds = given.split(',').map(Number);
  if (seconds.length === methods && seconds.every((one) => one > 0 && Number.isFinite(one))) return seconds;
  throw new AuroraError(
    'usage',
    `--seconds takes ${methods === 1 ? 'one number' : `${methods} numbers with commas in between`} above 0, not "${given}".`,
    'Omit it to measure a few steps of each method.',
  );
}

/** An unfinished claim of the same file is easily left behind by a change that was not meant to make another one. */
function warnOfOthers({ folder }: Frozen): void {
  const home = dirname(folder);
  const open = (existsSync(home) ? readdirSync(home) : []).filter((name) => {
    const { frozen, certificate } = claimPaths(join(home, name));
    return existsSync(frozen) && !existsSync(certificate);
  });
  if (open.length === 0) return;
  const which = open.map((name) => basename(name)).join(', ');
  process.stderr.write(
    `Note: this is another claim than ${which}, which ${open.length === 1 ? 'is' : 'are'} not closed: the file, the model or the data have changed since.\n`,
  );
}

/** Trains the phases of a claim as sweeps of its experiment. */
function hostOf(
  args: ParsedArgs,
  { file }: PlannedClaim,
  on: ExecutorName,
  emit: (line: ClaimLine) => Promise<void>,
  { interrupted, requested }: { interrupted: () => boolean; requested: () => StopReason | undefined },
): ClaimHost {
  return {
    emit,
    interrupted: () => interrupted() || requested() !== undefined,
    async train(_, sweep) {
      const folder = createFolder(join(experimentSweeps(file), sweep.baseHash));
      const shown = new Shown(args);
      // A failed trial ends the claim, so that continuing it is meant to try again.
      const options = { ...optionsOf(args), on, set: [], lease: false, retryFailed: true };
      const work = SweepWork.plan({ file, folder, sweep, dist: __dirname, options }, shown);
      shown.view = viewOf(args, work.names);
      return owning(ownedBy(args, folder, (work.left ?? work.where).on), async (takenOver) => {
        if (work.left) await work.move(work.left, takenOver);
        const { record, outcome } = await work.train(takenOver, interrupted, requested);
        shown.view.end(record, outcome, '');
        // Adapters are measured here.
        if (!outcome.stopped) await work.bringCheckpoints(record);
        return outcome;
      });
    },
  };
}

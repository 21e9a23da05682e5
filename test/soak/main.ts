import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, workerData } from 'node:worker_threads';
import type { Campaign } from './campaign';
import { clocks } from './clocks';
import { disks } from './disks';
import { Draw } from './draw';
import { folders } from './folders';
import { inputs } from './inputs';
import { kills } from './kills';
import { lies, lieReading } from './lies';
import { makeSubjects } from './made';
import { mutantReading, mutants } from './mutants';
import { readWhenAsked } from './reading';
import { recordMutants, recordReading } from './record-mutants';
import { writes } from './writes';

const CAMPAIGNS = [mutants, lies, recordMutants, kills, disks, folders, inputs, clocks, writes];
/** The folder that keeps failed trials. */
const KEPT = resolve('.cache/soak');

const HELP = `Usage: npm run test:soak -- [options]

Injects faults for a given time: damaged files of every kind, files that lie, damaged answers and messages, kills,
full disks, writes that fail, removed and read-only folders, changed inputs, clock changes. Exits
with 1 if an outcome was unclean and keeps that trial in .cache/soak.

  --minutes N      total time, divided between the campaigns (default 10)
  --trials N       number of trials per campaign, in place of a time
  --slice          the few trials that npm test -- --all runs
  --seed N         seed of the first trial; each further trial adds 1 (default: from the clock, and printed)
  --only A,B       only these campaigns: ${CAMPAIGNS.map((c) => c.name).join(', ')}
`;

if (!isMainThread) {
  const { role } = workerData as { role: string };
  if (role === 'mutants') readWhenAsked(mutantReading(makeSubjects()));
  if (role === 'lies') readWhenAsked(lieReading);
  if (role === 'records') readWhenAsked(recordReading);
} else
  void main().then(
    (code) => process.exit(code),
    (e: unknown) => {
      console.error(e);
      process.exit(1);
    },
  );

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      trials: { type: 'string' },
      slice: { type: 'boolean' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000_000) },
      only: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const names = values.only?.split(',');
  const chosen = CAMPAIGNS.filter((c) => !names || names.includes(c.name));
  if (chosen.length < (names?.length ?? 1)) {
    console.error(`--only takes ${CAMPAIGNS.map((c) => c.name).join(', ')}.`);
    return 2;
  }
  const seed = Number(values.seed);
  const failed: string[] = [];
  for (const campaign of chosen) {
    const lacks = campaign.lacks?.();
    if (lacks !== undefined) {
      console.log(`${campaign.name.padEnd(8)} skipped: ${lacks}`);
      continue;
    }
    const trials = values.slice
      ? campaign.slice
      : values.trials === undefined
        ? Infinity
        : Number(values.trials);
    const until =
      trials === Infinity ? Date.now() + (60_000 * Number(values.minutes)) / chosen.length : Infinity;
    failed.push(...(await runCampaign(campaign, seed, trials, until)));
  }
  for (const repeat of failed) console.log(`UNCLEAN  repeat with: npm run test:soak -- ${repeat}`);
  return failed.length === 0 ? 0 : 1;
}

/** @returns the options that repeat each failed trial */
async function runCampaign(
  campaign: Campaign,
  first: number,
  trials: number,
  until: number,
): Promise<string[]> {
  const { name } = campaign;
  campaign.prepare?.();
  const tally = new Map<string, number>();
  const failed: string[] = [];
  let done = 0;
  for (; done < trials && Date.now() < until; done++) {
    const seed = first + done;
    const folder = join(KEPT, `${name}-${seed}`);
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    try {
      const what = await campaign.trial(new Draw(seed), folder);
      tally.set(what, (tally.get(what) ?? 0) + 1);
      rmSync(folder, { recursive: true, force: true });
    } catch (e) {
      failed.push(`--only ${name} --seed ${seed} --trials 1`);
      console.log(`UNCLEAN  ${name}, seed ${seed}, kept in ${folder}\n  ${(e as Error).message}`);
    }
  }
  const counts = [...tally].sort(([a], [b]) => a.localeCompare(b)).map(([what, n]) => `${what} ${n}`);
  console.log(
    `${name.padEnd(8)} seeds ${first} to ${first + done - 1}: ${done} trials, ${failed.length} unclean (${counts.join(', ')})`,
  );
  return failed;
}

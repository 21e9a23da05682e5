import { resourceUsage } from 'node:process';
import { collectCase } from './collect-case';
import { experimentCase } from './experiment-case';
import { treeCase } from './tree-case';
import { queueCase } from './queue-case';
import { simulate, type Simulated } from './simulate';
import { writeStandIn } from './stand-in';
import { studyCase } from './study-case';
import type { SweepKind } from './experiment';

/** The measurements on a simulated study, by name: times in milliseconds by action. */
const CASES: Record<
  string,
  (study: { folder: string; file: string; sweep: string }) => Promise<Record<string, number>>
> = {
  experiment: experimentCase,
  queue: queueCase,
  tree: treeCase,
  collect: collectCase,
  study: studyCase,
};

/**
 * `cluster.cjs write FOLDER TRIALS KIND STATE` prints where the study is; `cluster.cjs CASE FOLDER FILE SWEEP` what one case
 * took, and the peak memory of this process in MB.
 */
async function main([name, folder, ...rest]: string[]): Promise<object> {
  if (name === 'write') {
    const [trials, kind, state] = rest as [string, SweepKind, Simulated['state']];
    const tell = (written: number) => process.stderr.write(`  ${written} trials written\n`);
    const study = simulate(folder, { trials: Number(trials), kind, state, tell });
    return { ...study, bin: writeStandIn(folder, study.sweep) };
  }
  const [file, sweep] = rest;
  const ms = await CASES[name]({ folder, file, sweep });
  return {
    ms,
    peakMB: resourceUsage().maxRSS / 1024,
    cpuMs: (process.cpuUsage().user + process.cpuUsage().system) / 1000,
  };
}

void main(process.argv.slice(2)).then((answer) => process.stdout.write(`${JSON.stringify(answer)}\n`));

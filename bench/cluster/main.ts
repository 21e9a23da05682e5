import { resourceUsage } from 'node:process';
import { experimentCase } from './experiment-case';
import { catalogCase } from './catalog-case';
import { queueCase } from './queue-case';
import { simulate } from './simulate';
import { studyCase } from './study-case';
import type { SweepKind } from './experiment';

/** What is measured on a simulated study, by name: times in milliseconds by what was done. */
const CASES: Record<
  string,
  (study: { folder: string; file: string; sweep: string }) => Promise<Record<string, number>>
> = {
  experiment: experimentCase,
  queue: queueCase,
  catalog: catalogCase,
  study: studyCase,
};

/**
 * `cluster.cjs write FOLDER TRIALS KIND` prints where the study is; `cluster.cjs CASE FOLDER FILE SWEEP` what one case
 * took, and the peak memory of this process in MB.
 */
async function main([name, folder, ...rest]: string[]): Promise<object> {
  if (name === 'write') {
    const [trials, kind] = rest;
    const tell = (written: number) => process.stderr.write(`  ${written} trials written\n`);
    return simulate(folder, { trials: Number(trials), kind: kind as SweepKind, tell });
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

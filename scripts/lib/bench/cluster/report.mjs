import { markdownTable } from '../sections.mjs';

const seconds = (ms) => `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;

/** The rows of one case: each part's time, and what all of them took together. */
const ROWS = {
  runs: { all: '`aurora runs`: all listed' },
  study: { all: '`aurora study`' },
  sweep: { all: '`aurora sweep`, continued: nothing is left to do' },
  queue: {
    submit: 'the files of a submission are written',
    squeue: 'what squeue prints of all tasks is read',
  },
  rung: { all: '`aurora sweep --no-wait` at the first comparison: a third is submitted' },
  tree: {
    first: 'the editor reads all runs',
    shown: 'the Experiments view is drawn, with up to 200 runs',
    more: 'with up to 700 runs',
    again: 'a scan, nothing has changed',
    change: 'a scan, one run has changed, to its row',
  },
  panel: {
    first: 'the Study panel opens',
    again: 'the Study panel is refreshed',
    report: 'its report is computed',
  },
  experiment: { load: 'the trials of the file', check: 'the editor checks the file' },
  collect: {
    follow: 'the results of all trials come from a cluster that shares no folder',
    collect: 'their adapters come, too',
    plain: 'the same files with nothing but `tar`: the limit of this disk',
    memory: 'both, to a disk in memory',
    memoryPlain: 'the same files with nothing but `tar`: the limit of this machine',
    again: 'again, nothing has changed',
    checkpoints: 'their checkpoints, if all are wanted',
  },
};

/** The longest wait of cases that measure it. */
function longestWait(ms) {
  const waits = Object.entries(ms).flatMap(([part, time]) => (part.endsWith('Blocked') ? time : []));
  return waits.length > 0 ? `${Math.round(Math.max(...waits))} ms` : undefined;
}

/**
 * @param results by case, then by number of trials
 * @param {number[]} sizes
 */
export function clusterReport(results, sizes, { machine, others, date }) {
  const rows = Object.entries(ROWS).flatMap(([name, parts]) => {
    const of = results[name];
    if (!of) return [];
    const each = Object.entries(parts).map(([part, title]) => [
      title,
      ...sizes.map((n) => (of[n]?.ms[part] === undefined ? '–' : seconds(of[n].ms[part]))),
    ]);
    const waits = sizes.map((n) => (of[n] && longestWait(of[n].ms)) ?? '–');
    if (waits.some((text) => text !== '–')) each.push(['  other work of the editor waits at most', ...waits]);
    const used = sizes.map((n) => (of[n] ? `${seconds(of[n].cpuMs)}, ${Math.round(of[n].peakMB)} MB` : '–'));
    return [...each, ['  CPU time and peak memory of the process', ...used]];
  });
  const head = ['', ...sizes.map((n) => `${n.toLocaleString('en-US')} trials`)];
  return `## Ten thousand trials

\`npm run bench:cluster\` writes a random search of trials of 1,000 steps as Slurm leaves it, each with 20 evaluations, 10
checkpoints and a run folder of 47 files, and measures what a user waits for. The goal is 10 s and 500 MB for 10,000 trials.

${markdownTable(head, rows)}

- The Study panel and \`aurora study\` compare as many groups as there are trials, since no two trials of the search have the
  same settings. A worker computes them. The Experiments view shows 200 runs of a sweep, and 500 more on request; it is
  measured without what the editor itself takes for its rows.
- At the first comparison of successive halving all trials have 100 steps. A pruned trial waits for the disk a few times, so
  a look prunes for at most two seconds and leaves the others to the next one.
- The cluster's side of tar and rsync is on this machine, too, and takes its time; its files were read before, since its disk
  is another one. A run is brought once, when it has ended: 17 files of 130 kB in all, and 30 files of checkpoints if they are
  wanted. Both sides take turns, 1,000 runs at a time: the time that a disk takes for so many files varies several times.
- ${date}, ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}, Node ${machine.node}. Other programs used
  ${Math.round(100 * others)}% of the CPUs just before; times include waiting for them, CPU times do not.
`;
}

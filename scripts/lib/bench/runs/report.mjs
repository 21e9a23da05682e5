import { markdownTable, median } from '../sections.mjs';

/** The largest share of ours, the smallest speed-ups, and the longest start in seconds. */
const GOALS = { share: 0.02, lengths: 2, sweep: 1.8, start: 1.5 };

const percent = (v) => `${(100 * v).toFixed(1)}%`;
const times = (v, digits = 2) => `${v.toFixed(digits)}×`;
/** CPU time is known on Linux only. */
const isKnown = (v) => Number.isFinite(v);
const seconds = (v) => (isKnown(v) ? `${v.toFixed(1)} s` : '–');
const hundredths = (v) => (isKnown(v) ? `${v.toFixed(2)} s` : '–');
const ms = (v) => `${Math.round(v).toLocaleString('en-US')} ms`;
const met = (isMet) => (isMet ? 'met' : 'missed');

function spread(values, text) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length < 2
    ? text(sorted[0])
    : `${text(median(sorted))} (${text(sorted[0])} to ${text(sorted.at(-1))})`;
}

const ratios = (a, b) => a.map((v, i) => v / b[i]);

function quartiles(values, text) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (q) => text(sorted[Math.floor(q * (sorted.length - 1))]);
  return `${at(0.5)} (${at(0.25)} to ${at(0.75)})`;
}

const shareTable = (results) =>
  markdownTable(
    [
      '',
      'steps',
      'a step',
      'around the runtime',
      'between steps',
      'together',
      `goal: ≤ ${percent(GOALS.share)}`,
    ],
    results.map(({ what, rounds }) => {
      const of = (key) => rounds.map((r) => r[key]);
      return [
        what,
        `${rounds[0].steps}`,
        ms(median(of('step'))),
        percent(median(of('inStep'))),
        percent(median(of('between'))),
        spread(of('share'), percent),
        met(median(of('share')) <= GOALS.share),
      ];
    }),
  );

const lengthsTable = (ways) => {
  const [grouped] = ways;
  return markdownTable(
    ['', 'padding', 'an epoch, time', 'CPU time'],
    ways.map(({ way, padding, epochs, cpu }) => [
      way,
      percent(padding),
      spread(ratios(epochs, grouped.epochs), times),
      spread(ratios(cpu, grouped.cpu), times),
    ]),
  );
};

const fullLength = (ways) => median(ratios(ways.at(-1).epochs, ways[0].epochs));

const sweepTable = ({ trials, apart, together }) =>
  markdownTable(
    ['', 'time', 'CPU time'],
    [
      [`${trials} separate runs`, seconds(apart.seconds), seconds(apart.cpu)],
      [`a sweep of ${trials} trials`, seconds(together.seconds), seconds(together.cpu)],
      [
        'speed-up',
        times(apart.seconds / together.seconds),
        isKnown(apart.cpu) ? times(apart.cpu / together.cpu) : '–',
      ],
    ],
  );

const startTable = ({ first, second }) =>
  markdownTable(
    ['', 'until the first loss', 'CPU time'],
    Object.entries({ 'first run': first, 'second run': second }).map(([name, runs]) => [
      name,
      spread(
        runs.map((r) => r.seconds),
        hundredths,
      ),
      spread(
        runs.map((r) => r.cpu),
        hundredths,
      ),
    ]),
  );

const adaptersTable = (results) =>
  markdownTable(
    ['', 'LoRA, a step', 'AuroRA / LoRA', 'CPU time', 'nodes', 'FLOPs', 'goal'],
    results.map(({ name, what, goal, sides: [aurora, lora] }) => {
      const found = ratios(aurora.times, lora.times);
      return [
        `${name}, ${what}`,
        ms(median(lora.times)),
        quartiles(found, (v) => times(v, 3)),
        quartiles(ratios(aurora.cpu, lora.cpu), (v) => times(v, 3)),
        `${aurora.nodes.toLocaleString('en-US')} / ${lora.nodes.toLocaleString('en-US')}`,
        times(aurora.flops / lora.flops, 4),
        `≤ ${goal}×: ${met(median(found) <= goal)}`,
      ];
    }),
  );

/** The table of each part. */
export const PARTS = {
  share: shareTable,
  lengths: lengthsTable,
  sweep: sweepTable,
  start: startTable,
  adapters: adaptersTable,
};

/** Its section in docs/benchmarks.md. */
export function report(results, { machine, threads, busy }) {
  const { share, lengths, sweep, start, adapters } = results;
  const { room, apart, together, steps, trials } = sweep;
  return `## Whole runs

\`npm run bench:runs\` measures runs of \`aurora train\` and \`aurora sweep\` from start to end, on the CPU, as a user starts them.

**What is not the runtime's**: data, optimizer, journal, metrics, checkpoints and snapshots, as a share of the steps' time. Each
call of ONNX Runtime in a real run is timed; the rest, from the first step to the last checkpoint, is ours. Calls for evaluations and
snapshots are left out on both sides. "Around the runtime" is within a step: batches, copies and optimizer.

${shareTable(share)}

**Real lengths**: an epoch of the demo's descriptions in full (batch 32, \`model.maxLength\` 512), estimated from steps that
represent it from its shortest to its longest. Ratios are relative to the default.

${lengthsTable(lengths)}

- Padding every text to the longest of all takes ${times(fullLength(lengths))} the time (goal: ≥ ${GOALS.lengths}×, ${met(fullLength(lengths) >= GOALS.lengths)}).

**A sweep on the top third of the layers**: ${trials} trials of ${steps} steps (6 layers × 384, batch 16 × 48, AuroRA on query and value of the last two
layers, one evaluation of 128 texts) beside the same ${trials} runs, of which half ran before it. The sweep computes the layers below
once; the limit of what that gains is about 2×.

${sweepTable(sweep)}

- Goal: ≥ ${GOALS.sweep}× (${met(apart.seconds / together.seconds >= GOALS.sweep)}). The sweep ran ${room.parallel === 1 ? 'one trial' : `${room.parallel} trials`} at a time, with ${room.threads === 1 ? 'one thread' : `${room.threads} threads`} each; a separate run has all of the cores.

**From Run to the first loss**: the demo, from starting \`aurora train\` until its first step is recorded. The first run has an empty
cache folder; the second finds what the first one has left.

${startTable(start)}

- Goal: the second run ≤ ${GOALS.start} s (${met(median(start.second.map((r) => r.seconds)) <= GOALS.start)}).

**AuroRA beside LoRA**: steps of rank 2, in turns, as medians and quartiles of the ratio in each round. Nodes and FLOPs are those of
the step's graph before the runtime optimizes it.

${adaptersTable(adapters)}

- Rounds: ${share[0].rounds.length} of the share, ${lengths[0].epochs.length} of the lengths, ${start.first.length} of the start, ${adapters[0].sides[0].times.length} of the steps; medians, with the smallest and the largest where nothing else is said.
- Other programs used ${Math.round(100 * busy)}% of the processors before it started.
- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}; Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}. Threads: ${threads}.
`;
}

import { markdownTable, median } from './sections.mjs';

/** A step may grow by this much more than its products, as a slope, before the report says so. */
const MARGIN = 0.05;

/** The varied quantities, by their names in bench/scaling.ts, with the unit of their sizes. */
export const AXES = {
  width: 'width (hidden size)',
  depth: 'depth (layers)',
  length: 'length (tokens)',
  batch: 'batch (texts)',
  rank: 'rank',
  adapters: 'adapters',
};

/** The slope of log y over log x by least squares: the power with which y grows. */
export function slope(xs, ys) {
  const [u, v] = [xs, ys].map((values) => values.map(Math.log));
  const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
  const [mu, mv] = [mean(u), mean(v)];
  const over = u.reduce((s, x, i) => s + (x - mu) * (v[i] - mv), 0);
  return over / u.reduce((s, x) => s + (x - mu) ** 2, 0);
}

/**
 * The slopes of one axis, over all sizes and between the two largest: of the FLOPs, of the estimate, and of the time in each
 * round, as quartiles.
 * @param {string} axis
 * @param {{ size: number, flops: number, estimate: number, times: number[] }[]} points in ascending order
 */
export function slopes(axis, points) {
  const over = (part) => {
    const xs = part.map((p) => p.size);
    const rounds = part[0].times.map((_, r) =>
      slope(
        xs,
        part.map((p) => p.times[r]),
      ),
    );
    const sorted = rounds.sort((a, b) => a - b);
    return {
      time: [0.25, 0.5, 0.75].map((q) => sorted[Math.floor(q * (sorted.length - 1))]),
      flops: slope(
        xs,
        part.map((p) => p.flops),
      ),
      estimate: slope(
        xs,
        part.map((p) => p.estimate),
      ),
    };
  };
  return { axis, points, all: over(points), end: over(points.slice(-2)) };
}

const two = (v) => v.toFixed(2).replace('-', '−');
const grows = ({ time: [low, middle, high] }) => `${two(middle)} (${two(low)} to ${two(high)})`;
const ms = (v) => `${v < 10 ? v.toFixed(1) : Math.round(v).toLocaleString('en-US')} ms`;

/** A row for each axis. */
export const table = (results) =>
  markdownTable(
    ['', 'sizes', 'a step', 'time', 'FLOPs', 'estimate', 'time, large end', 'FLOPs, large end'],
    results.map(({ axis, points, all, end }) => {
      const [first, last] = [points[0], points.at(-1)];
      return [
        AXES[axis],
        `${first.size} to ${last.size}`,
        `${ms(median(first.times))} to ${ms(median(last.times))}`,
        grows(all),
        two(all.flops),
        two(all.estimate),
        grows(end),
        two(end.flops),
      ];
    }),
  );

/** Its section in docs/benchmarks.md. */
export function report(results, { machine, threads, rounds, busy }) {
  const worse = results.filter(({ all }) => all.time[1] > all.flops + MARGIN);
  const verdict =
    worse.length === 0
      ? `No slope is more than ${MARGIN} above that of the FLOPs.`
      : `Steeper than the FLOPs by more than ${MARGIN}: ${worse.map(({ axis }) => axis).join(', ')}. What grows there besides products ` +
        '(elementwise operators, and starting each of them) is in the estimate.';
  return `## Cost as a function of size

\`npm run bench:scaling\` varies one size of a small encoder at a time (4 layers × 128, batch 8 × 32, AuroRA r = 2 on query and
value; adapters: 16 layers × 64, from the lowest linear layer up; length: batch 4) and measures with which power a step's
time grows: the slope of log time over log size, in each round, as median and quartiles. Beside it are the slopes of the FLOPs
of its matrix products and of the time that \`aurora inspect\` estimates, from products, bytes, functions and nodes.

${table(results)}

- ${verdict}
- "Large end": between the two largest sizes, where the fixed part of a step counts least.
- The sizes of an axis take turns (${rounds} rounds after two for warm-up), and a slope compares times of one round: other load
  on the machine changes all of them. Other programs used ${Math.round(100 * busy)}% of the processors before it started.
- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}; Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}. Threads: ${threads}.
`;
}

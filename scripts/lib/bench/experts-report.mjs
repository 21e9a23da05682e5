import { markdownTable, median } from './sections.mjs';

/** The largest time of a step, as a multiple of the dense model's. */
const GOAL = 1.5;

const ms = (v) => `${Math.round(v).toLocaleString('en-US')} ms`;
const million = (v) => `${(v / 1e6).toFixed(1)} million`;

/** Its section in docs/benchmarks.md. */
export function report({ experts, dense }, { machine, threads, rounds, busy }) {
  const ratios = (of) => experts.steps.map((step, i) => of(step) / of(dense.steps[i])).sort((a, b) => a - b);
  const [time, cpu] = [ratios((s) => s.ms), ratios((s) => s.cpu)];
  const row = (name, { parameters, active, flops, steps }) => [
    name,
    million(parameters),
    million(active),
    (flops / 1e9).toFixed(1),
    ms(median(steps.map((s) => s.ms))),
    ms(median(steps.map((s) => s.cpu))),
  ];
  return `## A mixture of experts

\`npm run bench:moe\` takes training steps of a mixture of 8 experts of 1,024 features, of which each token has 2, and of a dense model with
2,048 features: 4 layers × 512, batch 8 × 128, AuroRA r = 2 on query and value, random weights.

${markdownTable(
  ['', 'parameters', 'of a token', 'GFLOP', 'a step', 'CPU time'],
  [row('8 experts', experts), row('dense', dense)],
)}

- The mixture's step takes ${median(time).toFixed(2)}× the time of the dense model's (rounds: ${time[0].toFixed(2)}× to ${time.at(-1).toFixed(2)}×) and ${median(cpu).toFixed(2)}× its CPU time.
  The goal is ${GOAL}×: ${median(time) <= GOAL ? 'met' : 'missed'}.
- ${rounds} rounds after two for warm-up, in which the models take turns. Other programs used ${Math.round(100 * busy)}% of the processors before they started.
- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}; Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}. Threads: ${threads}.
`;
}

import { markdownTable, median, share } from './sections.mjs';

/** The goals, as shares of the time to read the file, and of its size. */
const GOALS = { time: 1.5, memory: 0.2 };
const PARTS = {
  graph: 'graph, without its weights',
  shapes: 'shapes of its tensors',
  sessions: 'two sessions',
};

const ms = (v) => `${Math.round(v).toLocaleString('en-US')} ms`;
const mb = (v) => `${Math.round(v / 1e6).toLocaleString('en-US')} MB`;

/** Its section in docs/benchmarks.md. */
export function report(rounds, { machine, threads, busy }) {
  const { bytes } = rounds[0].read;
  const of = (value) => median(rounds.map(value));
  const read = of((r) => r.read.ms);
  const ratios = rounds.map((r) => r.open.ms / r.read.ms).sort((a, b) => a - b);
  const [time, memory] = [median(ratios), of((r) => r.open.memory) / bytes];
  const parts = Object.entries(PARTS).map(([part, name]) => {
    const value = of((r) => r.open.parts[part]);
    return [`– ${name}`, ms(value), share(value, read), ''];
  });
  const met = (value, goal) => (value <= goal ? 'met' : 'missed');
  return `## Opening a model

\`npm run bench:opening\` opens a file of ${mb(bytes)} (random weights, 14 layers × 768) for training AuroRA, from the file to the sessions
of steps and evaluations, beside reading it. Each is a new process; they take turns, and both find the file in the page
cache. Memory is what the process has at most, without mapped files (RssAnon).

${markdownTable(
  ['', 'time, median', 'of reading', 'extra memory'],
  [
    ['reading the file', ms(read), '1.00×', mb(of((r) => r.read.memory))],
    [
      'opening it',
      ms(of((r) => r.open.ms)),
      share(time, 1),
      `${mb(memory * bytes)}, ${share(memory, 1)} its size`,
    ],
    ...parts,
  ],
)}

- Goals: at most ${GOALS.time}× the time to read the file (${met(time, GOALS.time)}; rounds: ${ratios[0].toFixed(2)}× to ${ratios.at(-1).toFixed(2)}×) and
  ${GOALS.memory}× its size in extra memory (${met(memory, GOALS.memory)}).
- ${rounds.length} rounds, of which a ratio compares the two of one. Other programs used ${Math.round(100 * busy)}% of the processors before they started.
- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}; Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}. Threads: ${threads}.
`;
}

import { markdownTable } from './sections.mjs';

const megabytes = (n) => `${Math.round(n).toLocaleString('en-US')} MB`;
const seconds = (n) => (n === undefined ? '–' : `${n.toFixed(1)} s`);

/** Its section in docs/benchmarks.md. */
export function report(results, machine) {
  const rows = results.flatMap(({ what, runs: { few, first, second } }) => [
    [`**${what}**`, '', '', '', ''],
    ...[
      ['the model alone (1,000 rows)', few],
      ['first start', first],
      ['second start', second],
    ].map(([name, { peakMB, firstStep }]) => [
      name,
      megabytes(peakMB),
      name.startsWith('the') ? '' : megabytes(peakMB - few.peakMB),
      seconds(firstStep?.seconds),
      seconds(firstStep?.cpu),
    ]),
  ]);
  const columns = ['', 'peak memory', 'above the model', 'first step after', 'CPU time until the first step'];
  return `## Data larger than memory

\`npm run bench:data\` trains three steps of AuroRA (r = 2) on data that stay on disk, with the demos' own small models: a
language model with a head on its output, on texts of which it reads 32 tokens, and a vision transformer. The first start
reads a file of texts once, from start to end, and keeps an index of it; the second finds the index. Memory is the peak of
the process; the CPU time is that of all its threads.

${markdownTable(columns, rows)}

- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}, Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}. Threads: 2.
- Other programs used up to ${Math.round(100 * Math.max(...results.map((r) => r.load)))}% of the processors just before a case; times include waiting for them, CPU
  times do not.
`;
}

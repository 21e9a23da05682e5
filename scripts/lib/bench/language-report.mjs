import { Failure } from '../console.mjs';
import { markdownTable, median, share } from './sections.mjs';

const sum = (values) => values.reduce((a, b) => a + b, 0);
const percent = (part) => `${Math.round(100 * part)}%`;
const digits = (value) => value.toLocaleString('en-US', { maximumSignificantDigits: 3 });

/** Time for each token that is trained, padding excluded. @param rounds how often each side has trained its steps */
export function packingResult({ what, texts }, rounds, contestants) {
  const sides = contestants.map(({ name, about, times, cpuTimes }) => ({
    name,
    batchSize: about.batchSize,
    padding: 1 - about.tokens / about.positions,
    wall: sum(times.step) / (rounds * about.tokens),
    cpu: sum(cpuTimes.step) / (rounds * about.tokens),
  }));
  return { what, texts, steps: contestants[0].about.steps, rounds, sides };
}

/** Ratios are relative to the first side of each. */
export function packingTable(results) {
  const rows = results.flatMap(({ what, texts, sides }) => [
    [`**${what}**, ${texts} in a batch`, '', '', '', '', '', ''],
    ...sides.map((side) => [
      side.name,
      `${side.batchSize}`,
      percent(side.padding),
      `${digits(1000 * side.wall)} µs`,
      share(side.wall, sides[0].wall),
      `${digits(1000 * side.cpu)} µs`,
      share(side.cpu, sides[0].cpu),
    ]),
  ]);
  return markdownTable(
    ['', 'rows in a batch', 'padding', 'time for a token', 'ratio', 'CPU time for a token', 'ratio'],
    rows,
  );
}

/** Fails if the two sides have written different texts. */
export function generationResult(rounds, [cache, without]) {
  const { texts, ...sizes } = cache.about;
  const ways = ['greedy', 'beams'].map((command) => {
    if (JSON.stringify(texts[command]) !== JSON.stringify(without.about.texts[command]))
      throw new Failure(`Generation, ${command}: without the cache, the texts are different.`);
    const each = (side) => ({
      wall: median(side.times[command]) / (sizes.count * sizes.tokens),
      cpu: median(side.cpuTimes[command]) / (sizes.count * sizes.tokens),
    });
    const name = command === 'greedy' ? 'greedy' : `${sizes.beams} beams`;
    return { name, cache: each(cache), without: each(without) };
  });
  return { ...sizes, rounds, ways };
}

export function generationTable({ ways }) {
  const row = (what, a, b) => [what, `${digits(a)} ms`, `${digits(b)} ms`, share(b, a)];
  return markdownTable(
    ['a new token of a text', 'with the cache', 'without', 'ratio'],
    ways.flatMap(({ name, cache, without }) => [
      row(`${name}, time`, cache.wall, without.wall),
      row(`${name}, CPU time`, cache.cpu, without.cpu),
    ]),
  );
}

/** Its section in docs/benchmarks.md. @param load the largest share of the CPUs that other programs used around a part */
export function report({ packing, generation }, { machine, threads, load }) {
  const { count, prompt, tokens } = generation;
  return `## Language models

\`npm run bench:language\` measures what packing and a key/value cache gain, with the language demo's model and its
adapter (AuroRA, r = 2, on every linear layer).

**Packing**: ${packing[0].steps} training steps of each way, which represent an epoch from its shortest to its longest batch. A batch
of packed rows has about as many texts as the others. Times are for each token that is trained, padding excluded;
ratios are relative to \`groupByLength\`.

${packingTable(packing)}

**Generation**: ${count} texts side by side, ${tokens} new tokens after a prompt of ${prompt} each, with the same model file. Without the
cache, each new token runs the model on the whole text. The texts are the same. Opening the model is not included.

${generationTable(generation)}

- Each way runs in a separate process. They take turns, after a warm-up: a step of each, and all texts of each. Rounds:
  ${generation.rounds}, of which packing shows the mean and generation the median. Threads: ${threads}.
- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}; Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}.
- Other programs used up to ${percent(load)} of the CPUs just before and after a part.
`;
}

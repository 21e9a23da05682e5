import { markdownTable, median, share } from './sections.mjs';
import { Failure } from '../console.mjs';

/** Float32 with a different summation order; a GPU's own functions are slightly less accurate. */
const LOSS_TOLERANCE = 1e-3;

/** Medians of one case; a loss that differs between sides means that they did not do the same work. */
export function summarize(name, rounds, sides, absent) {
  const [first] = sides;
  for (const { name: side, contestant } of sides) {
    const gap = Math.max(...contestant.losses.map((loss, i) => Math.abs(loss - first.contestant.losses[i])));
    if (!(gap <= LOSS_TOLERANCE))
      throw new Failure(
        `${name}: the losses of ${side} and ${first.name} differ by ${gap}, so their times are not comparable.`,
      );
  }
  const figures = sides.map(({ name: side, on, torch, contestant }) => ({
    name: side,
    on,
    torch,
    step: median(contestant.times.step),
    fastest: Math.min(...contestant.times.step),
    peakMB: contestant.peakMB('step'),
    about: contestant.about,
  }));
  return { name, rounds, figures, absent };
}

const whole = (v) => Math.round(v).toLocaleString('en-US');

/** Step times, compared with ours on the CPU and with PyTorch's on the same device. */
export function table({ figures }) {
  const ours = figures.find((f) => f.name === 'ONNX Runtime, cpu')?.step;
  const rows = figures.map((f) => {
    const torch = figures.find((o) => o.torch && o.on === f.on);
    return [
      f.name,
      `${whole(f.step)} ms`,
      `${whole(f.fastest)} ms`,
      share(f.step, ours),
      f.torch ? '' : share(f.step, torch?.step),
      `${whole(f.peakMB)} MB`,
    ];
  });
  return markdownTable(
    ['engine and device', 'step, median', 'fastest', 'vs. ours on cpu', 'vs. PyTorch', 'host memory'],
    rows,
  );
}

/** "6x384:4x32" in words. */
export function title(name) {
  const [encoder, batch] = name.split(':');
  const [layers, width] = encoder.split('x');
  return `${layers} layers × ${width}, batch ${batch.replace('x', ' × ')}`;
}

/** Its section in docs/benchmarks.md. */
export function report(results, { machine, threads, adapter }) {
  const cuda = results[0].figures.find((f) => f.torch === 'cuda');
  const card = adapter && !adapter.software ? adapter : undefined;
  const reached = card
    ? `The card: ${[cuda?.about.card ?? card.name, card.driver && `driver ${card.driver}`].filter(Boolean).join(', ')}.`
    : `**No graphics card was available.** ${adapter ? `WebGPU ran on ${adapter.name} (${adapter.driver}), a software renderer` : 'There was no WebGPU adapter'}: the numbers show that the code path works, not how fast a card is. On a machine with a card, the command above rewrites this section with its times and those of PyTorch on the same card.`;
  const absent = new Map(results.flatMap((r) => r.absent).map((a) => [a.name, a.problem]));
  const { torch } = results[0].figures.find((f) => f.torch)?.about ?? {};
  return `## Devices

\`npm run bench:devices\` times a whole training step (as above) on every engine and device of the machine. They take
turns, after warm-up and a pause; in each, a step runs twice, and the second counts. A loss that differs by more than ${LOSS_TOLERANCE} stops the benchmark.

${reached}

${results.map((r) => `**${title(r.name)}** (${r.rounds} rounds)\n\n${table(r)}`).join('\n\n')}

- "vs. PyTorch": PyTorch on the same CPU or card${torch ? ` (torch ${torch})` : '; python3 had no torch here'}. Threads: ${threads}.
- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}; Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}.
${[...absent].map(([name, problem]) => `- Not measured: ${name} (${problem})`).join('\n')}
`;
}

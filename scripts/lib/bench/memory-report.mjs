import { markdownTable, median, share } from './sections.mjs';
import { Failure } from '../console.mjs';

/** Float32 with a different summation order. */
const LOSS_TOLERANCE = 1e-5;
/** The tolerance of a step in int8, which is approximate: it must learn the same. */
const INT8_TOLERANCE = 0.01;

/** Figures of one case; a loss that differs between the ways means that they did not do the same work. */
export function summarize(name, rounds, sides) {
  const [{ contestant: whole }] = sides;
  const figures = sides.map(({ name: way, contestant }) => {
    const lossGap = Math.max(...contestant.losses.map((loss, i) => Math.abs(loss - whole.losses[i])));
    if (!(lossGap <= (way === 'int8' ? INT8_TOLERANCE : LOSS_TOLERANCE)))
      throw new Failure(`${name}: the loss with ${way} differs by ${lossGap}, so it is a different step.`);
    return {
      way,
      lossGap,
      peakMB: contestant.peakMB('step'),
      step: median(contestant.times.step),
      cpu: median(contestant.cpuTimes.step),
    };
  });
  return { name, rounds, figures };
}

const whole = (v, unit) => `${Math.round(v).toLocaleString('en-US')} ${unit}`;

/** A Markdown table for all cases. */
export function table(results) {
  const rows = results.flatMap(({ name, figures }) => [
    [`**${title(name)}**`, '', '', '', '', ''],
    ...figures.map((f) => [
      f.way,
      whole(f.peakMB, 'MB'),
      share(f.peakMB, figures[0].peakMB),
      whole(f.step, 'ms'),
      share(f.step, figures[0].step),
      share(f.cpu, figures[0].cpu),
    ]),
  ]);
  return markdownTable(['', 'peak memory', 'ratio', 'step, median', 'ratio', 'CPU time, ratio'], rows);
}

function title(name) {
  const [encoder, batch] = name.split(':');
  const [layers, width] = encoder.split('x');
  return `${layers} layers × ${width}, batch ${batch.replace('x', ' × ')}`;
}

/** Its section in docs/benchmarks.md. */
export function report(results, machine, threads) {
  const gaps = (int8) =>
    results.flatMap(({ figures }) =>
      figures.flatMap((f) => ((f.way === 'int8') === int8 ? [f.lossGap] : [])),
    );
  const largest = (int8) => Math.max(...gaps(int8)).toExponential(1);
  const again = results.map(({ figures }) => figures.find((f) => f.way === 'checkpointing'));
  const exact = again.every((f) => f.lossGap === 0);
  return `## Time and memory of a step

The same training step of AuroRA (r = 2 on query and value of every layer, a linear head) in six variants: with the whole
batch at once (\`training.microBatchSize\` of the batch's size), to which ratios are relative; as by default, in parts of 1,024
tokens (width 384) or 512 (768) or more; with \`training.gradientCheckpointing\`, which runs each layer again in the backward pass instead of keeping its
activations; in parts of 4 and of 1 text; and with \`training.precision: "int8"\`, which computes frozen layers in int8, in parts of 1,024 tokens or more. Each variant runs in a separate process, and they take turns, in each of which a step runs twice and the second counts.

${table(results)}

- Memory is the peak of the process (VmHWM on Linux). It includes interpreter, runtime and weights, which no variant
  reduces, so the ratio improves with the size of the batch.
- The losses of those in float32 never differed by more than ${largest(false)}${
    exact ? '; with checkpointing they were bitwise identical' : ''
  }. Those of int8, which is approximate, differed by up to ${largest(true)}.
- All frozen layers are in int8 here. A run keeps those in float32 that do not tolerate it ([devices.md](devices.md#int8-on-the-cpu)), and is
  then slower.
- Measured rounds: ${results.map((r) => r.rounds).join(', ')} (of two processes, each after one warm-up round). Threads: ${threads}.
- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}; Node ${machine.node}, onnxruntime-node
  ${machine.onnxruntime}.
`;
}

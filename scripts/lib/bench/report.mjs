import { markdownTable, median, share } from './sections.mjs';
import { Failure } from '../console.mjs';

/** The two sides compute the same: float32 with a different summation order. */
const LOSS_TOLERANCE = 1e-4;

/** Medians of one case; a loss that differs between the sides means they did not do the same work. */
export function summarize(name, rounds, [ours, torch]) {
  let lossGap;
  if (torch) {
    lossGap = Math.max(...ours.losses.map((loss, i) => Math.abs(loss - torch.losses[i])));
    if (!(lossGap <= LOSS_TOLERANCE))
      throw new Failure(
        `${name}: the losses of the two sides differ by ${lossGap}, so their times are not comparable.`,
      );
  }
  return { name, rounds, lossGap, ours: figures(ours), torch: torch && figures(torch) };
}

const figures = (side) => ({
  step: median(side.times.step),
  fastest: Math.min(...side.times.step),
  stepCpu: median(side.cpuTimes.step),
  evaluate: median(side.times.evaluate),
  stepMB: side.peakMB.step,
  allMB: side.peakMB.evaluate,
  about: side.about,
});

/** One Markdown table for all cases; the other side is PyTorch unless another name is given. */
export function table(results, other = 'PyTorch') {
  const rows = results.flatMap(({ name, ours, torch }) => [
    [`**${title(name)}**`, '', '', ''],
    row('step, median', ours.step, torch?.step, 'ms'),
    row('step, fastest', ours.fastest, torch?.fastest, 'ms'),
    row('step, CPU time', ours.stepCpu, torch?.stepCpu, 'ms'),
    row('evaluation, median', ours.evaluate, torch?.evaluate, 'ms'),
    [
      'evaluation / step',
      share(ours.evaluate, ours.step),
      torch ? share(torch.evaluate, torch.step) : '–',
      '',
    ],
    row('peak memory, training', ours.stepMB, torch?.stepMB, 'MB'),
    row('peak memory, evaluation included', ours.allMB, torch?.allMB, 'MB'),
  ]);
  return markdownTable(['', 'AuroRA Lab', other, 'ratio'], rows);
}

const whole = (v, unit) => `${Math.round(v).toLocaleString('en-US')} ${unit}`;
const row = (what, ours, torch, unit) => [
  what,
  whole(ours, unit),
  torch === undefined ? '–' : whole(torch, unit),
  torch === undefined ? '–' : share(ours, torch),
];

function title(name) {
  const [encoder, batch] = name.split(':');
  const [layers, width] = encoder.split('x');
  return `${layers} layers × ${width}, batch ${batch.replace('x', ' × ')}`;
}

/** Its section in docs/benchmarks.md. */
export function report(results, machine, threads) {
  const { torch, python } = results[0].torch.about;
  const gap = Math.max(...results.map((r) => r.lossGap));
  const rounds = results.map((r) => r.rounds).join(', ');
  return `## A training step compared with PyTorch

One training step is forward, backward and AdamW of AuroRA (r = 2, α = 4) on query and value of every layer and a
linear head on mean-pooled states, over one fixed batch of a BERT-like encoder with random weights (12 heads,
vocabulary 30,522, exported at opset 17). PyTorch runs the same model with the same values: frozen base
(\`requires_grad=False\`), \`scaled_dot_product_attention\`, \`torch.optim.AdamW\`, evaluation in inference mode, OpenBLAS,
\`OMP_WAIT_POLICY=passive\` (by default it spins, which is several times slower on few cores). The two
programs take turns step by step, after warm-up; their losses never differed by more than ${gap.toExponential(1)}.
Memory is the peak of the process (VmHWM on Linux), including interpreter, runtime and weights.

${table(results)}

- Measured rounds: ${rounds} (two warm-up rounds before them). Threads: ${threads}.
- ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}.
- Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}; Python ${python}, torch ${torch}.
- "Evaluation included": the evaluation session maps the model's file a second time, and the operating system
  counts those shared pages for each mapping.
`;
}

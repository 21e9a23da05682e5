import { markdownTable, median, share } from './sections.mjs';
import { Failure } from '../console.mjs';

/** The two sides compute the same: float32 with a different summation order. */
const LOSS_TOLERANCE = 1e-4;

/**
 * The figures of one case; a loss that differs between the sides means they did not do the same work.
 *
 * @param rounds of steps; the rest are of evaluations
 */
export function summarize(name, rounds, { ours, int8, other, limit }) {
  const lossGap = (side) => Math.max(...ours.losses.map((loss, i) => Math.abs(loss - side.losses[i])));
  if (other && !(lossGap(other) <= LOSS_TOLERANCE))
    throw new Failure(
      `${name}: the losses of the two sides differ by ${lossGap(other)}, so their times are not comparable.`,
    );
  const best = Math.max(...limit.gflops.map(median));
  const figures = (side) => side && figuresOf(side, ours.about.flops, best);
  return {
    name,
    rounds,
    lossGap: other && lossGap(other),
    int8LossGap: int8 && lossGap(int8),
    limit: best,
    ours: figures(ours),
    int8: figures(int8),
    torch: figures(other),
  };
}

/** @param flops that each command needs, if the side's program knows them */
function figuresOf(side, flops, limit) {
  const rates = (command) => flops && side.times[command].map((ms) => flops[command] / ms / 1e6);
  const shares = (command) => rates(command)?.map((rate) => rate / limit);
  return {
    times: side.times,
    step: median(side.times.step),
    fastest: Math.min(...side.times.step),
    stepCpu: median(side.cpuTimes.step),
    evaluate: median(side.times.evaluate),
    stepMB: side.peakMB('step'),
    allMB: side.peakMB('evaluate'),
    onceMB: side.onceMB('evaluate'),
    rate: flops && { step: median(rates('step')), evaluate: median(rates('evaluate')) },
    share: flops && { step: spread(shares('step')), evaluate: spread(shares('evaluate')) },
    about: side.about,
  };
}

/** Median and quartiles. */
function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part) => sorted[Math.round(part * (sorted.length - 1))];
  return { median: median(values), from: at(0.25), to: at(0.75) };
}

/** The ratio of the times of one round: other load on the machine changes both. */
const ratio = (ours, other, command) =>
  spread(ours.times[command].map((ms, i) => ms / other.times[command][i]));

/** A Markdown table for all cases; the other side is PyTorch unless another name is given. */
export function table(results, other = 'PyTorch') {
  const rows = results.flatMap(({ name, ours, int8, torch, limit }) => {
    const row = (what, of) => [what, of(ours), int8 ? of(int8) : '–', torch ? of(torch) : '–', '', ''];
    const compared = (what, unit, of, ratioOf = (side) => share(of(side), of(torch))) => {
      const cells = row(what, (side) => whole(of(side), unit));
      if (torch) cells[4] = ratioOf(ours);
      if (torch && int8) cells[5] = ratioOf(int8);
      return cells;
    };
    const inRounds = (command) => (side) => times(ratio(side, torch, command));
    return [
      [`**${title(name)}**`, '', '', '', '', ''],
      compared('step, median', 'ms', (s) => s.step, inRounds('step')),
      compared('step, fastest', 'ms', (s) => s.fastest),
      compared('step, CPU time', 'ms', (s) => s.stepCpu),
      compared('evaluation, median', 'ms', (s) => s.evaluate, inRounds('evaluate')),
      ...(ours.rate
        ? [
            row(`rate of a step, limit ${whole(limit, 'GFLOP/s')}`, (s) => rate(s, 'step')),
            row('rate of an evaluation', (s) => rate(s, 'evaluate')),
          ]
        : []),
      compared('peak memory, training', 'MB', (s) => s.stepMB),
      compared('peak memory, evaluation included', 'MB', (s) => s.allMB),
      compared('– each page counted once', 'MB', (s) => s.onceMB),
    ];
  });
  return markdownTable(['', 'AuroRA Lab', 'int8', other, 'ratio', 'int8, ratio'], rows);
}

const whole = (v, unit) => `${Math.round(v).toLocaleString('en-US')} ${unit}`;
const times = (of) => `${of.median.toFixed(2)}× (${of.from.toFixed(2)} to ${of.to.toFixed(2)})`;
const percent = (v) => `${(100 * v).toFixed(0)}%`;
const rate = (side, command) => {
  const of = side.share[command];
  return `${whole(side.rate[command], 'GFLOP/s')}, ${percent(of.median)} (${percent(of.from)} to ${percent(of.to)})`;
};

const PRODUCTS = new Set(['MatMul', 'Gemm', 'FusedMatMul']);
/** The number of other operators that are named, the slowest first. */
const NAMED = 8;

/** The operators that keep a step from the machine's limit: the share of each in the time of its nodes. */
export function profileTable(profiles) {
  const rows = profiles.map(({ name, operators }) => {
    const all = operators.reduce((sum, { ms }) => sum + ms, 0);
    const [products, others] = [true, false].map((is) =>
      operators.filter(({ operator }) => PRODUCTS.has(operator) === is),
    );
    const part = ({ operator, nodes, ms }) =>
      `${operator} ${((100 * ms) / all).toFixed(1)}% (${Math.round(nodes)})`;
    return [title(name), ...[products, others.slice(0, NAMED)].map((of) => of.map(part).join(', '))];
  });
  return markdownTable(['', 'products', 'other nodes'], rows);
}

function title(name) {
  const [encoder, batch] = name.split(':');
  const [layers, width] = encoder.split('x');
  return `${layers} layers × ${width}, batch ${batch.replace('x', ' × ')}`;
}

/** Its section in docs/benchmarks.md. */
export function report(results, profiles, { machine, threads, busy }) {
  const { torch, python } = results[0].torch.about;
  const gap = Math.max(...results.map((r) => r.lossGap));
  const int8Gap = Math.max(...results.map((r) => r.int8LossGap));
  const rounds = results.map((r) => r.rounds).join(', ');
  return `## A training step compared with PyTorch

One training step is forward, backward and AdamW of AuroRA (r = 2, α = 4) on query and value of every layer and a
linear head on mean-pooled states, over one fixed batch of a BERT-like encoder with random weights (12 heads,
vocabulary 30,522, exported at opset 17). PyTorch runs the same model with the same values: frozen base
(\`requires_grad=False\`), \`scaled_dot_product_attention\`, \`torch.optim.AdamW\`, evaluation in inference mode, OpenBLAS,
\`OMP_WAIT_POLICY=passive\` (by default it spins, which is several times slower on few cores). The two
programs take turns, after warm-up and a pause (PyTorch's threads wait in a loop after its step): in each, a step runs twice, and
the second counts, as in training, where a step follows another one. They are started three times, since the times of one process differ from those of the next. Their losses never differed by more than ${gap.toExponential(1)}.
"int8" is the same step with \`training.precision: "int8"\`, all frozen layers in int8; its losses differed by up to
${int8Gap.toExponential(1)}, and its evaluations are in float32. Ratios are to PyTorch: the median and the quartiles of the
ratios of the rounds.

A rate is what the products of a step or an evaluation need (at least, forward and backward), divided by its time, and beside
it the share of the machine's limit: the best rate of ONNX Runtime's float32 products of the same encoder with packed
weights, which takes its turn in each round (the median of the best of its three processes).

Memory is the peak of the process (VmHWM on Linux), including interpreter, runtime and weights.

${table(results)}

What keeps a float32 step from the limit: the share of each operator in the time of all nodes, and how many of them there are,
from ONNX Runtime's profile.

${profileTable(profiles)}

- Measured rounds: ${rounds} (of three processes, each after one warm-up round). Threads: ${threads}.
- Other programs used ${percent(busy)} of the processors before it started. ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGB} GB, ${machine.system}.
- Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}; Python ${python}, torch ${torch}.
- "Evaluation included": the evaluation session maps the model's file a second time, and the operating system
  counts those shared pages for each mapping; the line below it does not.
`;
}

/** The tables and sentences of docs/studies/linear.md, from the records that linear-measure.mjs keeps. */
import { RANKS, REFINE_STEPS, TASKS } from './linear.mjs';
import { spread } from './study.mjs';

/** Titles of the tables' rows, by their names in the records. */
const ROWS = {
  trained: 'as trained',
  fitted: 'fitted',
  plain: 'fitted, no biases',
  paper: "the paper's merge",
  removed: 'adapters removed',
  refined: 'refined',
};

const accuracy = { name: 'accuracy, %', of: (m) => 100 * m.accuracy, digits: 1, sense: 1 };
const loss = { name: 'loss', of: (m) => m.loss, digits: 3, sense: -1 };
/** The first one decides. */
const METRICS = {
  text: [accuracy, loss],
  images: [accuracy, loss],
  language: [loss],
  pictures: [{ ...loss, digits: 4 }],
};

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const median = (values) => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};
const percent = (share) => (100 * share).toFixed(0);
const signed = (value, digits) => `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(digits)}`;
const rateText = (rate) => rate.toExponential();
const table = (head, rows) =>
  [head, head.map((_, i) => (i === 0 ? '---' : '---:')), ...rows]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');

/** Those of one setting, by seed. */
const runsOf = (records, task, method, rank, rate) =>
  records
    .filter((r) => r.task === task && r.method === method && r.rank === rank && r.rate === rate)
    .sort((a, b) => a.seed - b.seed);

/** Mean ± standard deviation over the seeds; a dash if one has diverged or was not measured. */
function cell(runs, row, { of, digits }) {
  const values = runs.map((r) => r.rows[row]);
  if (values.length === 0) return '';
  if (!values.every((m) => m && Number.isFinite(of(m)))) return 'diverged';
  return values.length === 1 ? of(values[0]).toFixed(digits) : spread(values.map(of), digits);
}

const settings = (task) =>
  RANKS.flatMap((rank) => [...TASKS[task].rates].sort((a, b) => a - b).map((rate) => ({ rank, rate })));

/** A task's rows in one metric. */
function rowsTable(records, task, metric) {
  const head = ['rank', 'rate', ...Object.values(ROWS), 'LoRA', `LoRA, ${REFINE_STEPS} steps`];
  const rows = settings(task).flatMap(({ rank, rate }) => {
    const [aurora, lora, short] = ['aurora', 'lora', 'lora-short'].map((m) =>
      runsOf(records, task, m, rank, rate),
    );
    if (aurora.length + lora.length === 0) return [];
    const own = Object.keys(ROWS).map((row) => cell(aurora, row, metric));
    return [[rank, rateText(rate), ...own, cell(lora, 'trained', metric), cell(short, 'trained', metric)]];
  });
  const alone = records.filter((r) => r.task === task && r.method === 'head');
  const head0 = alone.length > 0 ? ` The head alone: ${cell(alone, 'trained', metric)}.` : '';
  return [`**${TASKS[task].title}, ${metric.name}.**${head0}`, '', table(head, rows)].join('\n');
}

/** The share of a run's gain that the fit keeps; undefined where there is no clear gain. */
const keptOf = ({ nonlinearity }) => nonlinearity?.share && 1 - nonlinearity.share.value;

const keptText = ({ value, low, high }) =>
  `${percent(1 - value)} (${percent(1 - high)} to ${percent(1 - low)})`;

function shareTable(records) {
  const rows = Object.keys(TASKS).flatMap((task) =>
    settings(task).flatMap(({ rank, rate }) => {
      const runs = runsOf(records, task, 'aurora', rank, rate).filter((r) => r.nonlinearity);
      if (runs.length === 0) return [];
      const [first] = runs;
      const { gain, lost, share, headGain, headShare, layers } = first.nonlinearity;
      const { digits } = METRICS[task].at(-1);
      const kept = runs.map(keptOf).filter((k) => k !== undefined);
      const r2 = layers.map((l) => l.r2);
      const clear = layers.filter(({ rise }) => rise && rise.mean > 0 && rise.chance < 0.05).length;
      return [
        [
          ...[TASKS[task].title, rank, rateText(rate)],
          ...[gain, lost].map((rise) => `${rise.mean.toFixed(digits)} ± ${rise.error.toFixed(digits)}`),
          share ? keptText(share) : 'no gain',
          kept.length > 0 ? percent(mean(kept)) : '',
          headGain ? (headShare ? keptText(headShare) : 'no gain') : '',
          `${median(r2).toFixed(2)} (${Math.min(...r2).toFixed(2)} to ${Math.max(...r2).toFixed(2)})`,
          layers.some(({ rise }) => rise) ? `${clear} of ${layers.length}` : '',
        ],
      ];
    }),
  );
  const head = [
    ...['task', 'rank', 'rate', 'gain', 'lost by the fit', 'kept, %', 'kept, %, all seeds'],
    ...['kept, %, beside the head alone', "R² of the layers' fits", 'layers whose σ matters'],
  ];
  return table(head, rows);
}

/** The setting of a method and rank with the best mean, of those whose seeds have all been trained. */
function best(records, task, method, rank, metric) {
  const found = TASKS[task].rates.map((rate) => ({ rate, runs: runsOf(records, task, method, rank, rate) }));
  const seeds = Math.max(0, ...found.map(({ runs }) => runs.length));
  const whole = found.filter(
    ({ runs }) =>
      runs.length > 0 &&
      runs.length === seeds &&
      runs.every((r) => Number.isFinite(metric.of(r.rows.trained ?? {}))),
  );
  const value = ({ runs }) => metric.sense * mean(runs.map((r) => metric.of(r.rows.trained)));
  return whole.sort((a, b) => value(b) - value(a)).at(0);
}

/** With its title; nothing before both methods of a task and rank were trained. */
function bestTable(records) {
  const rows = Object.keys(TASKS).flatMap((task) =>
    RANKS.flatMap((rank) => {
      const [metric] = METRICS[task];
      const [aurora, lora] = ['aurora', 'lora'].map((m) => best(records, task, m, rank, metric));
      if (!aurora || !lora) return [];
      // Differences are within a seed.
      const pairs = aurora.runs.flatMap((a) => {
        const b = lora.runs.find(({ seed }) => seed === a.seed);
        return b ? [metric.of(a.rows.trained) - metric.of(b.rows.trained)] : [];
      });
      if (pairs.length === 0) return [];
      return [
        [
          ...[`${TASKS[task].title}, ${metric.name}`, rank, rateText(aurora.rate)],
          ...['trained', 'fitted', 'refined'].map((row) => cell(aurora.runs, row, metric)),
          ...[rateText(lora.rate), cell(lora.runs, 'trained', metric)],
          pairs.length > 1 ? spread(pairs, metric.digits, true) : signed(pairs[0], metric.digits),
        ],
      ];
    }),
  );
  const head = [
    ...['task', 'rank', "AuroRA's rate", 'as trained', 'fitted', 'refined'],
    ...["LoRA's rate", 'LoRA', 'AuroRA − LoRA'],
  ];
  if (rows.length === 0) return [];
  return [
    '**The best rate of each method**, by the mean over the seeds as trained. The difference is paired over the seeds.',
    table(head, rows),
  ];
}

const counted = (n, noun) => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** A paragraph for each task, over all its runs of AuroRA. */
function sentences(records) {
  return Object.keys(TASKS).flatMap((task) => {
    const runs = records.filter((r) => r.task === task && r.nonlinearity);
    if (runs.length === 0) return [];
    const [metric] = METRICS[task];
    const change = (row) => (r) => metric.of(r.rows[row]) - metric.of(r.rows.trained);
    const changes = (row) => {
      const values = runs.map(change(row));
      const worst = metric.sense > 0 ? Math.min(...values) : Math.max(...values);
      const worstText = values.length > 1 ? ` (worst ${signed(worst, metric.digits)})` : '';
      return `${signed(mean(values), metric.digits)}${worstText}`;
    };
    const kept = runs.map(keptOf).filter((k) => k !== undefined);
    const below = runs.filter((r) => r.rows.paper.loss > r.rows.removed.loss).length;
    const reached = runs.filter((r) => r.rows.refined.loss <= r.rows.trained.loss).length;
    const unit = metric === accuracy ? 'points of accuracy' : 'of loss';
    return [
      [
        `- **${TASKS[task].title}** (${counted(runs.length, 'run')}).`,
        kept.length > 0
          ? `The fit keeps ${percent(median(kept))}% of the gain in loss in the median run, ${percent(Math.min(...kept))}% in the worst.`
          : 'In no run do the adapters lower the loss clearly.',
        `Beside the run as trained, the mean change is ${changes('fitted')} ${unit} for the fit, ${changes('plain')} without biases, ${changes('paper')} for the paper's merge, and ${changes('removed')} without adapters.`,
        `The paper's merge has a higher loss than the model without its adapters in ${below} of ${counted(runs.length, 'run')}.`,
        `${REFINE_STEPS} steps of refinement reach the loss as trained in ${reached} of ${runs.length}, with a mean change of ${changes('refined')} ${unit}.`,
      ].join(' '),
    ];
  });
}

/** @param {object[]} records @param {object} machine of machine.mjs */
export function page(records, machine, planned) {
  const seeds = [...new Set(records.map((r) => r.seed))].sort();
  return [
    `${records.length < planned ? `**Not finished:** ` : ''}${records.length} of ${planned} runs, seeds ${seeds.join(', ')}, on ${machine.cpu}, ${machine.cores} cores, ${machine.system}, Node ${machine.node}, onnxruntime-node ${machine.onnxruntime}.`,
    sentences(records).join('\n'),
    '**What the fit keeps.** Gain: the validation loss with the adapters removed, minus that as trained; lost: that of the fit, minus that as trained (seed 1, with standard errors over the examples). Kept: the share of the gain that is not lost, with its 95% interval over the examples by Fieller; beside the head alone, the gain is that over a run that trained only the head. The last two columns are of seed 1, the last one at the rate of the demo.',
    shareTable(records),
    ...bestTable(records),
    ...Object.keys(TASKS)
      .filter((task) => records.some((r) => r.task === task))
      .flatMap((task) => METRICS[task].map((metric) => rowsTable(records, task, metric))),
  ].join('\n\n');
}

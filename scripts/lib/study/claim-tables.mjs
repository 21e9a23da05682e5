/** Tables of simulated claims, for scripts/simulate-study.mjs. */
import { mix, shareText, table } from './simulation-tables.mjs';

/** Each kind of wrong verdict: half of 5%. */
export const LEVEL = 0.025;
export const MODELS = ['noise', 'seeds', 'texts'];
/** The smallest difference of the scores that matters: what can be found with so many examples. */
const SIZES = [
  { examples: 100, by: 0.2 },
  { examples: 500, by: 0.1 },
  { examples: 1000, by: 0.1 },
  { examples: 10_000, by: 0.05 },
];
export const COLUMNS = [
  { title: 'accuracy', metric: 'accuracy', predictions: true },
  { title: 'F1', metric: 'f1', predictions: true },
  // A correlation of fewer is refuted too often: `generalizes` has the same number.
  { title: 'Pearson', metric: 'pearson', predictions: true, least: 500 },
  { title: 'loss', metric: 'loss', predictions: true },
  { title: 'accuracy, no predictions', metric: 'accuracy', predictions: false },
];
/** With the fewest examples only, where pseudo-values are the least exact. */
const OTHERS = [
  { title: 'macro F1', metric: 'macroF1', predictions: true },
  { title: 'weighted F1', metric: 'weightedF1', predictions: true },
  { title: 'MCC', metric: 'matthews', predictions: true },
  { title: 'Spearman', metric: 'spearman', predictions: true, unpromised: true },
  { title: 'RMSE', metric: 'rmse', predictions: true },
  // Too often refuted, since the losses of few texts are skewed.
  { title: 'perplexity', metric: 'perplexity', predictions: true, unpromised: true },
];
const OTHERS_AT = 100;
/** Where a claim takes long to simulate, or its share needs fewer digits, so many times fewer are. */
const FEWER = 4;
/** True differences, in parts of the smallest one that matters. */
const DIFFERENCES = [
  { of: 0, title: 'none' },
  { of: 0.5, title: 'half' },
  { of: 1, title: 'as claimed' },
  { of: 2, title: 'twice' },
];
/** The model of the table of verdicts. */
const SHOWN = 'seeds';

export const WRONG = [
  { at: 0, findings: ['supported', 'small'], title: 'No difference, but the claim is supported' },
  { at: 1, findings: ['refuted', 'small'], title: 'A difference as claimed, but the claim is refuted' },
];

/** Wrong verdicts of the claim that a method is better, and the share of each verdict. */
export function claimTables({ simulation, studies, seed, say }) {
  const cells = SIZES.flatMap(({ examples, by }) =>
    MODELS.flatMap((model, m) => {
      say(`${examples} examples, ${model} …`);
      const cell = { examples, by, model: simulation.MODELS[model] };
      const draws = new simulation.Draws(mix(seed, examples, m));
      const all = DIFFERENCES.filter(({ of }) => isWrong(of) || model === SHOWN).map(({ of }) => ({
        ...{ examples, by, model, of },
        rounds: roundsOf(studies, examples, of),
        counts: [...COLUMNS, ...OTHERS].map(() => ({ supported: 0, refuted: 0, small: 0, open: 0 })),
      }));
      const columns = examples === OTHERS_AT ? [...COLUMNS, ...OTHERS] : COLUMNS;
      for (let r = 0; r < roundsOf(studies, examples, 0); r++) {
        const now = all.filter(({ rounds }) => r < rounds);
        const differences = now.map(({ of }) => of * by);
        simulation
          .simulateVerdicts(cell, differences, columns, draws)
          .forEach((findings, d) => findings.forEach((finding, c) => now[d].counts[c][finding]++));
      }
      return all;
    }),
  );
  const wrong = WRONG.map((kind) => wrongTables(cells, kind, studies));
  return {
    tables: [...wrong.flatMap((w) => w.tables), verdictTable(cells, simulation)],
    counts: wrong.flatMap((w) => w.counts),
  };
}

/** Without predictions, a verdict is about these texts, on which methods that are good at different ones do differ. */
export const isPromised = ({ predictions, unpromised = false, least = 0 }, examples, model) =>
  !unpromised && examples >= least && (predictions || model !== 'texts');

const isWrong = (of) => WRONG.some(({ at }) => at === of);

/** Large sets take long, and shares of verdicts need fewer digits. */
const roundsOf = (studies, examples, of) =>
  Math.ceil(studies / (examples >= 10_000 ? FEWER : 1) / (isWrong(of) ? 1 : FEWER));

function wrongTables(all, { at, findings, title }, studies) {
  const cells = all.filter(({ of }) => of === at);
  const counts = cells.flatMap(({ examples, model, counts }) =>
    [...COLUMNS, ...OTHERS].map((column, c) => ({
      name: `${title}, ${examples} examples, ${model}, ${column.title}`,
      ...{ examples, model, column: column.title, level: LEVEL },
      studies: Object.values(counts[c]).reduce((a, b) => a + b),
      alarms: findings.reduce((sum, finding) => sum + counts[c][finding], 0),
      promised: isPromised(column, examples, model),
    })),
  );
  const tableOf = (columns, rows, sizes) => ({
    title: `${title}: % of claims and their 95% interval (${sizes})`,
    text: table(
      `examples | model | ${columns.map((c) => c.title).join(' | ')}`,
      rows.map(({ examples, model }) => {
        const texts = columns.map(({ title: column }) => {
          const found = counts.find(
            (c) => c.examples === examples && c.model === model && c.column === column,
          );
          const text = shareText(found.alarms, found.studies, LEVEL);
          return found.promised ? text : `[${text}]`;
        });
        return `${examples.toLocaleString('en-US')} | ${model} | ${texts.join(' | ')}`;
      }),
    ),
  });
  const others = cells.filter(({ examples }) => examples === OTHERS_AT);
  return {
    tables: [
      tableOf(
        COLUMNS,
        cells,
        `${studies} claims a cell, ${roundsOf(studies, 10_000, at)} of 10,000 examples`,
      ),
      tableOf(OTHERS, others, `other metrics, ${studies} claims a cell`),
    ],
    counts: counts.filter((c) => c.promised && c.studies > 0),
  };
}

/** Each verdict's share, by the true difference. */
function verdictTable(all, simulation) {
  const cells = all.filter(({ model }) => model === SHOWN);
  const shown = [...COLUMNS.keys()].filter((c) => COLUMNS[c].predictions);
  const rows = cells.map(({ examples, by, of, rounds, counts }) => {
    const { title } = DIFFERENCES.find((d) => d.of === of);
    const points = 100 * simulation.trueDifference('accuracy', simulation.MODELS[SHOWN], by);
    const texts = shown.map((c) =>
      ['supported', 'small', 'refuted', 'open']
        .map((finding) => ((100 * counts[c][finding]) / rounds).toFixed(0))
        .join(' / '),
    );
    return [examples.toLocaleString('en-US'), points.toFixed(1), title, ...texts].join(' | ');
  });
  return {
    title: `Verdicts: % supported / small / refuted / undecided (model "${SHOWN}")`,
    text: table(
      `examples | claimed points of accuracy | true difference | ${shown.map((c) => COLUMNS[c].title).join(' | ')}`,
      rows,
    ),
  };
}

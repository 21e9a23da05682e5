/** Tables of simulated studies, for scripts/simulate-study.mjs. */

const SEEDS = [2, 3, 5];
const EXAMPLES = [100, 500, 1000, 10_000];
const LEVELS = [0.05, 0.001];
const MODELS = ['noise', 'seeds', 'texts'];
/** True differences of the scores, and the approximate differences in accuracy. */
const DIFFERENCES = [
  { score: 0.08, points: 1.8 },
  { score: 0.2, points: 4.2 },
];

/**
 * The simulation of a column. Without predictions, a test generalizes only to other seeds on the same texts; if methods
 * are good at different texts, there is a true difference on these texts, and nothing is guaranteed.
 */
const COLUMNS = [
  { title: 'noise', model: 'noise', predictions: false },
  { title: 'seeds', model: 'seeds', predictions: false },
  { title: 'noise, predictions', model: 'noise', predictions: true },
  { title: 'seeds, predictions', model: 'seeds', predictions: true },
  { title: 'texts, predictions', model: 'texts', predictions: true },
  { title: '(texts)', model: 'texts', predictions: false, unpromised: true },
];

/** False alarms for accuracy: one row per number of seeds and examples. */
export function alarmTables({ simulation, studies, seed, say }) {
  const cells = [];
  for (const seeds of SEEDS)
    for (const examples of EXAMPLES) {
      say(`${seeds} seeds, ${examples} examples …`);
      const rounds = roundsOf(studies, examples);
      const row = `${seeds} | ${examples.toLocaleString('en-US')}`;
      for (const [m, model] of MODELS.entries()) {
        const draws = new simulation.Draws(mix(seed, seeds, examples, m));
        const columns = COLUMNS.filter((c) => c.model === model);
        const alarms = columns.map(() => [0, 0]);
        for (let r = 0; r < rounds; r++) {
          const runs = simulation.simulateRuns({ seeds, examples, model: simulation.MODELS[model] }, draws);
          const bare = simulation.withoutPredictions(runs);
          columns.forEach(({ predictions }, i) =>
            tally(alarms[i], simulation.chanceIn(predictions ? runs : bare, 'accuracy')),
          );
        }
        columns.forEach((c, i) => cells.push({ row, ...c, alarms: alarms[i], studies: rounds }));
      }
    }
  const titles = COLUMNS.map((c) => c.title);
  const sizes = `${studies} studies a cell, ${roundsOf(studies, 10_000)} of 10,000 examples`;
  return tablesOf('False alarms of accuracy', sizes, 'seeds | examples', titles, cells);
}

/** False alarms for the other metrics, with 500 examples and seed effects. */
export function metricTables({ simulation, studies, seed, say }) {
  const columns = [
    { title: 'F1', metric: 'f1', predictions: false },
    { title: 'MCC', metric: 'matthews', predictions: false },
    { title: 'loss', metric: 'loss', predictions: false },
    { title: 'loss, predictions', metric: 'loss', predictions: true },
  ];
  const cells = SEEDS.flatMap((seeds) => {
    say(`${seeds} seeds, other metrics …`);
    const draws = new simulation.Draws(mix(seed, seeds, 500, MODELS.length));
    const alarms = columns.map(() => [0, 0]);
    for (let r = 0; r < studies; r++) {
      const runs = simulation.simulateRuns({ seeds, examples: 500, model: simulation.MODELS.seeds }, draws);
      const bare = simulation.withoutPredictions(runs);
      columns.forEach(({ metric, predictions }, i) =>
        tally(alarms[i], simulation.chanceIn(predictions ? runs : bare, metric)),
      );
    }
    return columns.map((c, i) => ({ row: String(seeds), ...c, alarms: alarms[i], studies }));
  });
  const titles = columns.map((c) => c.title);
  const sizes = `model "seeds", 500 examples, ${studies} studies a cell`;
  return tablesOf('False alarms of other metrics', sizes, 'seeds', titles, cells);
}

/** A table for each level; the cells by row and title. */
function tablesOf(what, sizes, head, titles, cells) {
  const rows = [...new Set(cells.map((c) => c.row))];
  const tables = LEVELS.map((level, i) => ({
    title: `${what}, % with p < ${level} and their 95% interval (${sizes})`,
    text: table(
      `${head} | ${titles.join(' | ')}`,
      rows.map((row) => {
        const found = titles.map((title) => cells.find((c) => c.row === row && c.title === title));
        return `${row} | ${found.map((c) => shareText(c.alarms[i], c.studies, level)).join(' | ')}`;
      }),
    ),
  }));
  const counts = cells
    .filter((c) => !c.unpromised)
    .flatMap(({ row, title, alarms, studies }) =>
      LEVELS.map((level, i) => ({
        name: `${row} | ${title}, p < ${level}`,
        level,
        alarms: alarms[i],
        studies,
      })),
    );
  return { tables, counts };
}

/** The rate at which a true difference in accuracy is detected at 5%. */
export function powerTable({ simulation, studies, seed, say }) {
  const rounds = Math.ceil(studies / 10);
  const rows = SEEDS.flatMap((seeds) =>
    EXAMPLES.map((examples) => {
      say(`${seeds} seeds, ${examples} examples, a true difference …`);
      const cells = DIFFERENCES.flatMap(({ score }, d) => {
        const draws = new simulation.Draws(mix(seed, seeds, examples, MODELS.length + 1 + d));
        const [without, withThem] = [[0], [0]];
        const cell = { seeds, examples, model: simulation.MODELS.noise, difference: score };
        for (let r = 0; r < rounds; r++) {
          const runs = simulation.simulateRuns(cell, draws);
          tally(without, simulation.chanceIn(simulation.withoutPredictions(runs), 'accuracy'));
          tally(withThem, simulation.chanceIn(runs, 'accuracy'));
        }
        return [without, withThem].map(([seen]) => ((100 * seen) / rounds).toFixed(0));
      });
      return [seeds, examples.toLocaleString('en-US'), ...cells].join(' | ');
    }),
  );
  const head = DIFFERENCES.map(({ points }) => `${points} points | ${points} points, predictions`);
  return {
    title: `Power: % with p < 0.05 where there is a true difference (model "noise", ${rounds} studies a cell)`,
    text: table(`seeds | examples | ${head.join(' | ')}`, rows),
  };
}

export const roundsOf = (studies, examples) => (examples >= 10_000 ? Math.ceil(studies / 2) : studies);

/** Mixes several numbers into one seed. */
export const mix = (...values) => values.reduce((h, v) => (Math.imul(h ^ v, 0x01000193) + 0x9e3779b9) | 0, 7);

/** Counts a p-value at each level that it is below. */
function tally(alarms, chance) {
  LEVELS.forEach((level, i) => {
    if (i < alarms.length && chance !== undefined && chance < level) alarms[i]++;
  });
}

/** A share in %, with Wilson's interval. @param level that it must not exceed: two decimals for a small one */
export function shareText(alarms, studies, level) {
  const digits = level < 0.01 ? 2 : 1;
  const share = alarms / studies;
  const z = 1.96;
  const middle = share + z ** 2 / (2 * studies);
  const half = z * Math.sqrt((share * (1 - share)) / studies + (z / (2 * studies)) ** 2);
  const [low, high] = [-half, half].map((h) => Math.max(0, (middle + h) / (1 + z ** 2 / studies)));
  return `${(100 * share).toFixed(digits)} (${(100 * low).toFixed(digits)}–${(100 * high).toFixed(digits)})`;
}

/**
 * True if so many alarms are very unlikely (less than once in 10,000 such cells) if the level holds: the upper tail of
 * the binomial distribution.
 */
export function exceeds({ level, alarms, studies }) {
  let term = Math.exp(studies * Math.log1p(-level));
  let below = 0;
  for (let k = 0; k < alarms; k++) {
    below += term;
    term *= ((studies - k) / (k + 1)) * (level / (1 - level));
  }
  return 1 - below < 1e-4;
}

export function table(head, rows) {
  const line = head.split(' | ').map(() => '---:');
  return [head, line.join(' | '), ...rows].map((row) => `| ${row} |`).join('\n');
}

/** Tables of simulated claims with other looks than the default ones, for scripts/simulate-study.mjs. */
import { COLUMNS, isPromised, LEVEL, MODELS, WRONG } from './claim-tables.mjs';
import { mix, shareText, table } from './simulation-tables.mjs';

/** The ends of the range that a claim may have, alone and together, close to each other and far apart. */
const LOOKS = [[3], [5], [10], [3, 4], [3, 10], [9, 10]];
const SIZES = [
  { examples: 100, by: 0.2 },
  { examples: 500, by: 0.1 },
];

/** Larger sets take longer. */
const roundsOf = (studies, examples) => Math.ceil(examples > 100 ? studies / 4 : studies);

/** Wrong verdicts of both kinds for each of the looks. */
export function lookTables({ simulation, studies, seed, say }) {
  const rows = LOOKS.flatMap((looks) =>
    SIZES.flatMap(({ examples, by }) =>
      MODELS.map((model, m) => {
        say(`Looks at ${looks.join(' and ')} seeds, ${examples} examples, ${model} …`);
        const cell = { examples, by, looks, model: simulation.MODELS[model] };
        const draws = new simulation.Draws(mix(seed, examples, m, ...looks));
        const wrong = WRONG.map(() => COLUMNS.map(() => 0));
        const rounds = roundsOf(studies, examples);
        for (let i = 0; i < rounds; i++)
          simulation
            .simulateVerdicts(
              cell,
              WRONG.map(({ at }) => at * by),
              COLUMNS,
              draws,
            )
            .forEach((findings, w) =>
              findings.forEach((finding, c) => (wrong[w][c] += Number(WRONG[w].findings.includes(finding)))),
            );
        return { looks: looks.join(' and '), examples, model, rounds, wrong };
      }),
    ),
  );
  const counts = WRONG.map(({ title }, w) =>
    rows.map(({ looks, examples, model, rounds, wrong }) =>
      COLUMNS.map((column, c) => ({
        name: `${title}, looks at ${looks} seeds, ${examples} examples, ${model}, ${column.title}`,
        ...{ level: LEVEL, studies: rounds, alarms: wrong[w][c] },
        promised: isPromised(column, examples, model),
      })),
    ),
  );
  const tables = WRONG.map(({ title }, w) => ({
    title: `${title}, at other looks: % of claims and their 95% interval (${studies} claims a cell, ${roundsOf(studies, 500)} of 500 examples)`,
    text: table(
      `seeds | examples | model | ${COLUMNS.map((c) => c.title).join(' | ')}`,
      rows.map(({ looks, examples, model, rounds }, r) => {
        const texts = counts[w][r].map(({ alarms, promised }) => {
          const text = shareText(alarms, rounds, LEVEL);
          return promised ? text : `[${text}]`;
        });
        return `${looks} | ${examples} | ${model} | ${texts.join(' | ')}`;
      }),
    ),
  }));
  return { tables, counts: counts.flat(2).filter(({ promised }) => promised) };
}

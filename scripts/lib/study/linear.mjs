/** The runs of the study of AuroRA's linear form: what is trained, and in which order. */

/** Tasks: the experiment in demo/, the rates with the demo's first, and settings that the demo does not have. */
export const TASKS = {
  text: { title: 'Text', experiment: 'debian-sections', rates: [2e-3, 1e-2, 3e-2], head: true, set: [] },
  images: { title: 'Images', experiment: 'fashion', rates: [5e-3, 1e-3, 2.5e-2], head: true, set: [] },
  language: { title: 'Language', experiment: 'debian-summaries', rates: [1e-2, 2e-3, 3e-2], set: [] },
  pictures: {
    title: 'Pictures',
    experiment: 'fashion-bags',
    rates: [3e-3, 1e-3, 1e-2],
    // A picture takes longer to draw than a step, and the study needs none.
    set: [
      'training.pictures.prompts=["a photo of a bag"]',
      'training.pictures.steps=1',
      'training.pictures.every=100000',
    ],
  },
};

export const RANKS = [2, 8];
export const METHODS = ['aurora', 'lora'];

/** At the end only: the study counts the last step, so that nothing is chosen on the data that it is measured on. */
const LAST_STEP = 'training.evaluateEvery=100000';

/**
 * The steps of `--refine`, and of the LoRA that is trained from scratch for as long: about a quarter of a run.
 */
export const REFINE_STEPS = 100;

/**
 * One setting of the study.
 *
 * @typedef {object} Planned
 * @property {string} name unique, as a folder's name too
 * @property {keyof TASKS} task
 * @property {'aurora' | 'lora' | 'lora-short' | 'head'} method `lora-short` is trained for REFINE_STEPS
 * @property {number} [rank]
 * @property {number} [rate]
 * @property {number} seed
 * @property {string} experiment in demo/
 * @property {string[]} settings KEY=VALUE
 */

/**
 * All runs, in an order in which partial results say most: one seed of everything before the next seed, the demo's rates before
 * the others, and a rank of all tasks before the next rank.
 *
 * @param {number} seeds
 * @returns {Planned[]}
 */
export function plannedRuns(seeds) {
  const runs = [];
  for (let seed = 1; seed <= seeds; seed++) {
    for (const [task, { head }] of Object.entries(TASKS)) if (head) runs.push(planned(task, 'head', seed));
    for (const rate of [0, 1, 2])
      for (const rank of RANKS)
        for (const task of Object.keys(TASKS))
          for (const method of METHODS) runs.push(planned(task, method, seed, rank, TASKS[task].rates[rate]));
    for (const rate of [0, 1, 2])
      for (const rank of RANKS)
        for (const task of Object.keys(TASKS))
          runs.push(planned(task, 'lora-short', seed, rank, TASKS[task].rates[rate]));
  }
  return runs;
}

/** @returns {Planned} */
function planned(task, method, seed, rank, rate) {
  const { experiment, set } = TASKS[task];
  const adapter =
    method === 'head'
      ? ['adapter={"method":"none"}']
      : [
          `adapter.method=${method === 'aurora' ? 'aurora' : 'lora'}`,
          `adapter.rank=${rank}`,
          `adapter.alpha=${2 * rank}`,
          `training.learningRate=${rate}`,
        ];
  const steps = method === 'lora-short' ? [`training.maxSteps=${REFINE_STEPS}`] : [];
  const name = [task, method, ...(rank ? [`r${rank}`, rate.toExponential()] : []), `seed-${seed}`].join('-');
  return {
    ...{ name, task, method, rank, rate, seed, experiment },
    settings: [...set, ...adapter, ...steps, LAST_STEP, `training.seed=${seed}`],
  };
}

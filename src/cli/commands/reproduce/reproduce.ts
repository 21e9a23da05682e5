import { OWN_TABLES, TABLE_NAMES, tableModels } from '../../../recipes/paper-tables';
import type { Command } from '../../command';
import { PLACE_HELP, PLACE_VALUES } from '../../device-options';
import { TAKE_OVER_HELP } from '../../owning';
import { PLACES, TRIAL_OPTIONS } from '../sweep/trial-options';

export const reproduceCommand: Command = {
  help: `Usage: aurora reproduce TABLE --model MODEL [options]
       aurora reproduce demo|rivals [options]

Trains a table of the AuroRA paper, and prints its numbers beside those of the paper, cell by cell. The paper's settings
are the start: each method is trained at the paper's learning rate, a third of it and three times it with the first seed,
and at the best of the three with the others. LoRA gets the same search, at the paper's rank and at AuroRA's. Each
data set is an experiment with a sweep in the folder of --out. Ctrl-C saves and stops; the same command continues, and
what is finished is kept.

Tables
${TABLE_NAMES.map((name) => `  ${name.padEnd(17)}${tableModels(name).join(', ')}`).join('\n')}
  demo             its own: the study in docs/studies/demo.md, AuroRA of rank 2, 4 and 8, LoRA of rank 2 to 16, and the
                   head alone on two real data sets, at four learning rates. Needs a clone of the repository
  rivals           its own: every method at the size nearest to the number of parameters of AuroRA of rank 2, and to four
                   times as many, on texts, images and a language model, at the same rates. Needs a clone too

  --model MODEL    a model of the paper, the name of a model on the hub, or a file or folder on this machine
  --size SIZE      for another model than the paper's: whose settings to use, base or large
  --data FOLDER    the data sets on this machine, each in a folder of its name; otherwise the hub's, by name: the command
                   shows what it would download, and asks
  --tasks LIST     only these data sets, such as rte,mrpc
  --seeds N        runs of each method, with seeds 1 to N (default: 3; DreamBooth: 1)
  --rates LIST     learning rates instead of the paper's and those around it
  --set KEY=VALUE  any setting of all experiments, such as training.epochs=1 (may be given several times)
  --yes            download without asking
  --dry-run        show what would be downloaded and trained, and write nothing
  --out FOLDER     the folder of experiments, runs, table.md and table.csv (default: reproduce-TABLE-MODEL,
                   reproduce-demo)
  --on PLACE       local, slurm or kubernetes: where trials are trained, one data set after the other
  --cluster FILE   settings of a cluster in a JSON file
  --parallel N     trials to run in parallel (default: measured)
  --retry-failed   retry failed trials
  --lease          stop when the file control/lease in a sweep's folder has not been touched for a minute
  --json           JSON lines: those of \`aurora get\` and of sweeps, task, missing and table
${TAKE_OVER_HELP}${PLACE_HELP}  --threads N      threads per trial on the CPU (default: cores divided by parallel trials)

Exits with 0 if all was trained, with 1 if trials failed or a data set is missing, and with 130 if it was stopped.
`,
  options: {
    ...TRIAL_OPTIONS,
    model: { type: 'string' },
    size: { type: 'string' },
    data: { type: 'string' },
    tasks: { type: 'string' },
    seeds: { type: 'string' },
    rates: { type: 'string' },
    yes: { type: 'boolean', short: 'y' },
    'dry-run': { type: 'boolean' },
    out: { type: 'string' },
  },
  values: { ...PLACE_VALUES, on: PLACES, '': [...OWN_TABLES, ...TABLE_NAMES], size: ['base', 'large'] },
  async run(args) {
    // It loads a runtime, which completion and help do not need.
    return (await import('./table')).reproduceTable(args);
  },
};

import { join, resolve } from 'node:path';
import { loadExperiment } from '../../runs/experiment/load';
import { experimentRuns } from '../../runs/layout';
import { AuroraError, EXIT } from '../../base/errors';
import type { ImportLine } from '../../protocol/import';
import { metricCells, metricHeads } from '../../experiment/metrics';
import { isHeadAlone, methodName } from '../../experiment/methods';
import { importAdapter, type Imported } from '../../trainer/import/import';
import { problemOf } from '../../trainer/preflight/problems';
import { majority } from '../../tasks/majority';
import { one, type Command } from '../command';
import { count } from '../format';
import { program } from '../program';
import { endOnSignals } from '../signals';
import { table } from '../table';
import { write } from '../write';

export const importCommand: Command = {
  help: `Usage: aurora import ADAPTER --experiment FILE.aurora.json [options]

Takes an adapter in PEFT's file layout (adapter_config.json and adapter_model.safetensors: a LoRA or rsLoRA of PEFT,
or one of our own) and makes a run of it: its step 0, evaluated on the experiment's validation data. The run can be
compared, exported, shown and played with as any other, and trained on by --resume or --fork. The experiment says model,
data and training; its adapter section is not used.

  --experiment FILE  what it is imported for
  --name NAME        what the run is called (default: the name of the adapter's folder)
  --out DIR          put the run folder in DIR instead of beside the experiment
  --set KEY=VALUE    override a setting of the experiment (may be given several times)
  --json             JSON lines: preparing, result, problem

Leaves with 22 where the adapter cannot be read, is of another method, or does not fit the model.
`,
  options: {
    experiment: { type: 'string' },
    name: { type: 'string' },
    out: { type: 'string' },
    set: { type: 'string', multiple: true },
    json: { type: 'boolean' },
  },
  async run(args) {
    endOnSignals();
    const json = args.flag('json');
    const emit = (line: ImportLine) => (json ? write(`${JSON.stringify(line)}\n`) : Promise.resolve());
    try {
      const adapter = resolve(one(args, 'adapter folder', 'import'));
      const file = args.text('experiment');
      if (file === undefined)
        throw new AuroraError(
          'usage',
          'aurora import needs --experiment FILE, which says the model and the data.',
          'See `aurora import --help`.',
        );
      await emit({ kind: 'preparing' });
      const imported = await importAdapter({
        adapter,
        experiment: loadExperiment(file, args.list('set')),
        runs: args.text('out') ?? experimentRuns(file),
        name: args.text('name'),
        hashWorker: join(__dirname, 'hash-worker.cjs'),
      });
      const { run, metrics, warnings } = imported;
      await emit({ kind: 'result', run: resolve(run), metrics, warnings });
      if (!json) await write(report(imported));
      return EXIT.ok;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

function report({ run, task, metrics, warnings }: Imported): string {
  const { adapter } = task.spec;
  const name = isHeadAlone(adapter) ? 'A head' : methodName(adapter);
  const chance = majority(task.data);
  const lines = [
    ...[...task.warnings, ...warnings].map((w) => `warning: ${w}`),
    `${name} on ${task.adapters.length} modules, on ${count(metrics.examples)} validation texts:`,
    '',
    ...table([
      ['  ', ...metricHeads()],
      ['  majority class', ...metricCells({ accuracy: chance.accuracy })],
      ['  imported', ...metricCells(metrics)],
    ]),
    '',
    `Run folder  ${run}`,
    '',
    `Train on with: ${program()} train --resume ${run}`,
  ];
  return `${lines.join('\n')}\n`;
}

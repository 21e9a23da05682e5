import { join, resolve } from 'node:path';
import { loadExperiment } from '../../runs/experiment/load';
import { experimentRuns } from '../../runs/layout';
import { AuroraError, EXIT } from '../../base/errors';
import type { ImportLine } from '../../protocol/import';
import { metricCells, metricHeads, metricsIn } from '../../experiment/metrics';
import { isHeadAlone, methodName } from '../../experiment/methods';
import { importAdapter, type Imported } from '../../training/import/import-adapter';
import { problemOf } from '../../training/preflight/preflight-problems';
import { one, type Command } from '../command';
import { count } from '../../base/number-text';
import { commandLine } from '../suggested-commands';
import { hints, write } from '../output';
import { endOnSignals } from '../signals';
import { table } from '../table';

export const importCommand: Command = {
  help: `Usage: aurora import ADAPTER --experiment FILE.aurora.json [options]

Creates a run from an adapter in PEFT's file layout (adapter_config.json and adapter_model.safetensors: a LoRA, rsLoRA
or DoRA from PEFT, or an adapter from AuroRA Lab), or from a LoRA of a pipeline in one file, in diffusers' layout
(pytorch_lora_weights.safetensors, or a folder with it) or in that of kohya's scripts, as ComfyUI and AUTOMATIC1111 use
it. The adapter becomes step 0 of the run, evaluated on the experiment's validation data. The run can be compared,
exported, viewed and tried like any other, and trained further with --resume or --fork. The experiment provides model,
data and training settings; its adapter section is not used.

  --experiment FILE  the experiment to import it into
  --name NAME        the run's name (default: the name of the adapter's folder)
  --out DIR          put the run folder in DIR instead of beside the experiment
  --set KEY=VALUE    override a setting of the experiment (may be given several times)
  --json             JSON lines: preparing, result, problem

Exits with 22 if the adapter cannot be read, uses an unsupported method, or does not fit the model.
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
          'aurora import needs --experiment FILE for the model and the data.',
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
      if (!json) {
        for (const words of [...imported.task.warnings, ...warnings])
          process.stderr.write(`warning: ${words}\n`);
        await write(report(imported));
      }
      return EXIT.ok;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

function report({ run, task, metrics }: Imported): string {
  const { adapter } = task.spec;
  const name = isHeadAlone(adapter) ? 'A head' : methodName(adapter);
  const baseline = task.kind.baseline(task.data);
  const names = metricsIn(metrics);
  const lines = [
    `${name} on ${task.adapters.length} modules, evaluated on ${count(metrics.examples)} validation examples:`,
    '',
    ...table([
      ['  ', ...metricHeads(names), ''],
      ['  baseline', ...metricCells(names, { [baseline.metric]: baseline.value }), baseline.answer],
      ['  imported', ...metricCells(names, metrics), ''],
    ]),
    '',
    `Run folder  ${run}`,
    ...hints('', `Train it further with: ${commandLine('train', '--resume', run)}`),
  ];
  return `${lines.join('\n')}\n`;
}

import { resolve } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import {
  EXPORT_FORMS,
  type ExportForm,
  type ExportLine,
  type ExportMetrics,
  type MetricDrop,
} from '../../../protocol/export';
import { exportRun } from '../../../trainer/export/export';
import { problemOf } from '../../../trainer/preflight/problems';
import { parseAt } from '../../../trainer/checkpoint/trained-run';
import { askAtTerminal, nextLine } from '../../ask';
import { one, type Command } from '../../command';
import { dropWords, exportText, measuringText } from './report';
import { endOnSignals } from '../../signals';
import { write } from '../../write';

/** Points of the run's metric. */
const MAX_DROP = 1;

export const exportCommand: Command = {
  help: `Usage: aurora export RUN --as FORM [--at best|last|STEP] [--out DIR]

  adapter               the adapter in PEFT's file layout, as trained, with aurora_peft_loader.py for PyTorch
  peft-lora             the adapter as a LoRA that PEFT itself loads; AuroRA in its static form
  onnx-dynamic          the model with its adapters as nodes: exactly what was trained
  onnx-merged           the model's own file with the adapters merged into its weights, data files beside it as before
  onnx-adapter-inputs   the model with its adapters as inputs, to swap them at run time, and their numbers

The exported files are run on the validation set, and their metrics stand beside those of what was trained. For LoRA
all forms are the same function. For AuroRA, whose layer is not linear, peft-lora and onnx-merged are another one:
where they lose more than --max-drop points, it asks first.

  --at WHICH         best (default), last, or the step of a checkpoint
  --out DIR          the folder to make (default: RUN/export/FORM-step-…)
  --max-drop POINTS  what a merged form may lose, in hundredths of the run's metric (default: ${MAX_DROP})
  --accept-drop      keep it, whatever it loses
  --json             JSON lines: preparing, measuring, ask (then a line "yes" or "no" is read), declined, result, problem

Leaves with 23 where a merged form loses too much and nobody said to keep it.
`,
  options: {
    as: { type: 'string' },
    at: { type: 'string' },
    out: { type: 'string' },
    'max-drop': { type: 'string' },
    'accept-drop': { type: 'boolean' },
    json: { type: 'boolean' },
  },
  async run(args) {
    const json = args.flag('json');
    const emit = (line: ExportLine) => tell(line, json);
    endOnSignals();
    try {
      const run = resolve(one(args, 'run folder', 'export'));
      const form = args.text('as') as ExportForm;
      if (!EXPORT_FORMS.includes(form))
        throw new AuroraError(
          'usage',
          `--as takes ${EXPORT_FORMS.join(', ')}, not "${form ?? ''}".`,
          'See `aurora export --help`.',
        );
      const out = args.text('out');
      const maxDrop = pointsOf(args.text('max-drop') ?? String(MAX_DROP));
      const result = await exportRun({
        run,
        at: parseAt(args.text('at')),
        form,
        ...(out !== undefined && { out: resolve(out) }),
        maxDrop,
        emit,
        accept: (drop, metrics) =>
          args.flag('accept-drop') ? Promise.resolve(true) : accept(form, drop, maxDrop, metrics, json, emit),
      });
      await emit(result ? { kind: 'result', ...result } : { kind: 'declined' });
      return result ? EXIT.ok : EXIT.drop;
    } catch (e) {
      if (json && e instanceof AuroraError) await write(`${JSON.stringify(problemOf(e))}\n`);
      throw e;
    }
  },
};

/** Results go to the standard output, and what goes on to the other one. */
async function tell(line: ExportLine, json: boolean): Promise<void> {
  if (json) return write(`${JSON.stringify(line)}\n`);
  if (line.kind === 'measuring') process.stderr.write(measuringText(line));
  else await write(exportText(line));
}

async function accept(
  form: ExportForm,
  drop: MetricDrop,
  limit: number,
  metrics: ExportMetrics,
  json: boolean,
  emit: (line: ExportLine) => Promise<void>,
): Promise<boolean> {
  if (json) {
    await emit({ kind: 'ask', drop, limit, metrics });
    return (await nextLine())?.trim() === 'yes';
  }
  const words = dropWords(form, drop);
  const answer = await askAtTerminal(`${words} Keep it?`);
  if (answer !== undefined) return answer;
  throw new AuroraError(
    'drop',
    `${words} More than ${limit} are not lost without asking, and nobody is here to ask.`,
    'Keep it with --accept-drop, or export with --as onnx-dynamic or adapter, which lose nothing.',
  );
}

function pointsOf(text: string): number {
  const points = Number(text);
  if (text.trim() !== '' && points >= 0) return points;
  throw new AuroraError('usage', `--max-drop takes a number of points from 0 on, not "${text}".`);
}

import { mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { saveModel } from '../../graph/save';
import { runPaths } from '../../runs/layout';
import { readRunSummary } from '../../runs/read';
import { AuroraError, EXIT } from '../../shared/errors';
import { compareForms, type FormMetrics } from '../../trainer/export/compare';
import { exportedModel, type ExportForm } from '../../trainer/export/onnx';
import { readPeftAdapter } from '../../trainer/export/peft';
import { prepareTask } from '../../trainer/task';
import { one, type Command } from '../command';
import { percent } from '../progress';
import { table } from '../table';

const FORMS: ExportForm[] = ['onnx-dynamic', 'onnx-merged'];

export const exportCommand: Command = {
  help: `Usage: aurora export RUN --as onnx-dynamic|onnx-merged [--out FILE] [--adapter best|last]

  onnx-dynamic   the model with its adapters as nodes: exactly what was trained
  onnx-merged    the model with the adapters merged into its weights: no node more than before, but for AuroRA
                 another function, because its layer is not linear

The exported file is run on the validation set, and both forms are measured beside it. The adapter itself, in
PEFT's file layout, is in every run folder: RUN/adapter/best and RUN/adapter/last.

  --out FILE     default: RUN/export/<form>.onnx
  --adapter      best (default) or last
`,
  options: { as: { type: 'string' }, out: { type: 'string' }, adapter: { type: 'string' } },
  async run(args) {
    const run = resolve(one(args, 'run folder', 'export'));
    const form = args.text('as') as ExportForm;
    if (!FORMS.includes(form))
      throw new AuroraError(
        'usage',
        `--as takes ${FORMS.join(' or ')}, not "${form ?? ''}".`,
        'See `aurora export --help`.',
      );
    const which = args.text('adapter') ?? 'best';
    if (which !== 'best' && which !== 'last')
      throw new AuroraError('usage', `--adapter takes best or last, not "${which}".`);
    const out = resolve(args.text('out') ?? join(run, 'export', `${form}.onnx`));
    const { spec, events } = readRunSummary(run);
    const started = events.find((e) => e.kind === 'started');
    if (!started)
      throw new AuroraError(
        'run',
        `${run} has not begun to train, so there is nothing to export.`,
        'Resume it with `aurora train --resume`.',
      );
    if (out === resolve(spec.model.path))
      throw new AuroraError(
        'usage',
        `--out ${out} is the model itself, which is never changed.`,
        'Choose another file.',
      );
    const work = mkdtempSync(join(run, 'export-'));
    try {
      const task = await prepareTask(spec, work, started.labels);
      const parameters = readPeftAdapter(join(runPaths(run).adapter, which), task.adapters);
      saveModel(exportedModel(task, parameters, form), out);
      const metrics = await compareForms(task, parameters, out, work);
      process.stdout.write(text(metrics, form, out));
      return agree(metrics, form) ? EXIT.ok : EXIT.failed;
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  },
};

const row = (name: string, m: FormMetrics['dynamic']) => [
  `  ${name}`,
  m.loss.toFixed(4),
  percent(m.accuracy),
  percent(m.f1),
  m.matthews.toFixed(3),
];

/** The file must compute what its form computes here: to float32's rounding in the loss. */
const agree = (m: FormMetrics, form: ExportForm): boolean => {
  const expected = form === 'onnx-dynamic' ? m.dynamic : m.merged;
  return Math.abs(m.exported.loss - expected.loss) <= 1e-4 * Math.max(1, expected.loss);
};

function text(m: FormMetrics, form: ExportForm, out: string): string {
  const lines = [
    ...table([
      ['  validation', 'loss', 'accuracy', 'F1', 'MCC'],
      row('dynamic (as trained)', m.dynamic),
      row('merged into weights', m.merged),
      row(`exported file (${form})`, m.exported),
    ]),
    '',
    agree(m, form)
      ? `Wrote ${out}`
      : `error: ${out} does not compute what was measured here; please report this, and do not use the file.`,
  ];
  return `${lines.join('\n')}\n`;
}

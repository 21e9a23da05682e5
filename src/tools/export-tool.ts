import { AuroraError } from '../base/errors';
import { inEnglish, t } from '../base/l10n';
import { programError, programLine } from '../executors/local/program';
import { EXPORT_FORMS, type ExportLine, MERGES, TENSORBOARD } from '../protocol/export';
import { dropReason, dropText, exportProgress, exportSummary } from '../protocol/reports/export-report';
import { modelQuestion } from './experiment-question';
import { findRun } from './find-runs';
import { optionalAmount, optionalChoice, optionalText, text } from './input';
import { stateIn } from './run-state';
import type { Tool, ToolHost } from './tool';
import { exportConfirmation } from './tool-words';
import { requireOwnInputs } from './workspace';

const FORMS = [...EXPORT_FORMS, TENSORBOARD] as const;
type Form = (typeof FORMS)[number];
type Result = Extract<ExportLine, { kind: 'result' | 'events' }>;

const KINDS: ExportLine['kind'][] = [
  ...(['preparing', 'fitting', 'not-fitted', 'measuring', 'ask', 'declined', 'result', 'events'] as const),
];

export const exportTool: Tool = {
  async prepare(host, input) {
    text(input, 'form');
    const form = optionalChoice(input, 'form', FORMS)!;
    const at = stateIn(input);
    const merge = optionalChoice(input, 'merge', MERGES);
    const maxDrop = optionalAmount(input, 'maxDrop');
    const { folder, label, run } = findRun(await host.runs(), host.folders, optionalText(input, 'run'));
    if (!run) throw new AuroraError('run', `The run ${label} cannot be read, so it cannot be exported.`);
    await requireOwnInputs(host, run.spec);
    const { spec } = run;
    const model = [
      `--at=${at}`,
      ...(merge === undefined ? [] : [`--merge=${merge}`]),
      ...(maxDrop === undefined ? [] : [`--max-drop=${maxDrop}`]),
    ];
    const args = ['export', folder, `--as=${form}`, ...(form === TENSORBOARD ? [] : model), '--json'];
    return {
      doing: t('Exporting {0}', label),
      question: () => Promise.resolve(exportConfirmation({ ...modelQuestion(host, label, spec), form })),
      async answer() {
        await requireOwnInputs(host, spec);
        return resultFacts(host, await exported(host, form, args));
      },
    };
  },
};

/** Runs `aurora export`. Nobody answers its question whether to keep a form that loses too much, so it is not kept. */
async function exported(host: ToolHost, form: Form, args: readonly string[]): Promise<Result> {
  let result: Result | undefined;
  let loss: Extract<ExportLine, { kind: 'ask' }> | undefined;
  const end = await host.program(args, (text) => {
    const line = programLine<ExportLine>(text, KINDS);
    if (line?.kind === 'result' || line?.kind === 'events') result = line;
    if (line?.kind === 'ask') loss = line;
    const message = line && exportProgress(line);
    if (message !== undefined) host.progress(message);
  });
  if (result) return result;
  if (loss && form !== TENSORBOARD) {
    const asked = loss;
    throw new AuroraError(
      'drop',
      inEnglish(() => `${dropText(form, asked)} ${dropReason(asked)} Nothing was kept.`),
      'Export as onnx-dynamic or adapter, which lose nothing, or accept the loss with maxDrop.',
    );
  }
  throw programError(end, 'export');
}

function resultFacts(host: ToolHost, result: Result): object {
  if (result.kind === 'events') {
    const { steps, evaluations, file } = result;
    return { file: host.shown(file), steps, evaluations };
  }
  const { folder, record } = result;
  const { form, step, merge, metrics, drop, lossRise, largestDifference, files } = record;
  return {
    folder: host.shown(folder),
    summary: inEnglish(() => exportSummary(record)),
    ...{ form, step, merge, metrics, drop, lossRise, largestDifference },
    files: Object.keys(files),
  };
}

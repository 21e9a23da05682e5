import { inEnglish, t } from '../base/l10n';
import { programError } from '../executors/local/program';
import type { PreflightLine } from '../protocol/preflight';
import { addPreflightLine, type PreflightLines } from '../protocol/reports/preflight-report';
import { agreedArguments } from '../runs/experiment/agreed-text';
import { parseExperiment } from '../runs/experiment/load';
import { experimentName } from '../runs/layout';
import { NamedExperiment, questionOf } from './experiment-question';
import { text } from './input';
import { rememberEstimate } from './plan';
import { parsePreflightLine, preflightMarkdown } from './preflight-lines';
import type { Tool, ToolHost } from './tool';
import { preflightConfirmation } from './tool-words';
import { requireOwnInputs } from './workspace';

export const preflightTool: Tool = {
  async prepare(host, input) {
    const named = await NamedExperiment.read(host, text(input, 'experiment'));
    const { file } = named;
    // A run of an experiment with mistakes would be refused, so nobody is asked about it.
    const spec = parseExperiment(file, named.text, []);
    await requireOwnInputs(host, spec);
    return {
      doing: t('Running the preflight of {0}', host.shown(file)),
      subject: named.text,
      question: async () => preflightConfirmation(questionOf(host, { file, spec, runs: await host.runs() })),
      async answer() {
        await named.requireUnchanged([spec]);
        const report = await measure(host, named);
        if (report.estimate) rememberEstimate(spec, report.estimate);
        return inEnglish(() => preflightMarkdown(experimentName(file), report));
      },
    };
  },
};

/** Runs `aurora preflight`; mistakes of the experiment are in the report. */
async function measure(host: ToolHost, { file, text: agreed }: NamedExperiment): Promise<PreflightLines> {
  const report: PreflightLines = { steps: [], problems: [] };
  const onLine = (text: string) => {
    const line = parsePreflightLine(text, (hint) => host.hint(hint));
    const message = line && addPreflightLine(report, line);
    if (message !== undefined) host.progress(message, ...stepsIn(line!));
  };
  const result = await host.program(
    ['preflight', file, '--json', ...agreedArguments(agreed), ...host.place()],
    onLine,
  );
  const isTold = report.problems.some((p) => p.severity === 'error');
  if (result.code !== 0 && !isTold) throw programError(result, 'preflight');
  return report;
}

const stepsIn = (line: PreflightLine): [done: number, of: number] | [] =>
  line.kind === 'step' ? [line.step, line.of] : [];

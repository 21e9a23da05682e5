import { basename } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import { errorText } from '../../../base/number-text';
import { type EngineName, ENGINES, type Place } from '../../../engine/place';
import type { Command } from '../../command';
import { write } from '../../output';
import { onePlace, PLACE_OPTIONS, PLACE_VALUES } from '../../device-options';
import { runAnlCases } from './anl-case';
import { readReference, type ReferenceFile } from './case';
import { Comparison, type Finding, passed } from './compare-arrays';
import { runModelCase } from './model-case';
import { tolerancesTable } from './tolerance';

const others = (engine: EngineName): string => {
  const names = ENGINES[engine].filter((device) => device !== 'cpu');
  return `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
};

export const reference: Command = {
  help: `Usage: aurora reference FILE… [options]

Runs each reference file (format: test/fixtures/reference/README.md) through the real graph surgery, autodiff,
runtime and optimizer and compares every field. Prints one line per file, with the worst error of each kind.

  --engine NAME      onnxruntime (default), or tfjs: TensorFlow.js, with its own gradients
  --device NAME      cpu (default); also ${others('onnxruntime')} with onnxruntime; ${others('tfjs')} with tfjs
  --json             JSON lines: file, as soon as it is known, and end

Exits with 1, naming the field, if any is out of tolerance, missing or not finite, and with 19 if the device cannot be
used. Tolerances against PyTorch in float64, by device:

${tolerancesTable()}
`,
  options: { ...PLACE_OPTIONS, json: { type: 'boolean' } },
  values: PLACE_VALUES,
  async run(args) {
    const place = onePlace(args);
    if (args.positionals.length === 0)
      throw new AuroraError('usage', 'aurora reference needs at least one file.');
    const json = args.flag('json');
    const line = (value: object) => `${JSON.stringify(value)}\n`;
    const files = args.positionals.length;
    let agree = 0;
    for (const path of args.positionals) {
      const report = await runFile(readReference(path), place);
      await write(json ? line(fileJson(path, report)) : fileText(path, report));
      if (failures(report).length === 0) agree++;
    }
    await write(
      json ? line({ kind: 'end', files, agree }) : `${agree} of ${files} files agree with PyTorch\n`,
    );
    return agree === files ? EXIT.ok : EXIT.failed;
  },
};

/** Fields out of tolerance that are named; any others are only counted. */
const NAMED = 20;

function fileText(path: string, report: Comparison): string {
  const bad = failures(report);
  const lines = [
    summaryLine(basename(path), report),
    ...bad.slice(0, NAMED).map(describeFailure),
    ...(bad.length > NAMED ? [`     and ${bad.length - NAMED} more`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

/** An error in one file is that file's failure and does not stop the others, unless the device cannot be used. */
async function runFile(file: ReferenceFile, place: Place): Promise<Comparison> {
  try {
    return file.kind === 'anl'
      ? await runAnlCases(file.cases, place)
      : await runModelCase(file.modelPath, file.case, { place });
  } catch (e) {
    if (e instanceof AuroraError && e.kind === 'device') throw e;
    const report = new Comparison();
    const hint = e instanceof AuroraError && e.hint ? `\n       ${e.hint}` : '';
    report.fail('run', 'run', `${(e as Error).message}${hint}`);
    return report;
  }
}

/** `ok  bert-aurora.json  loss 1.2e-7 · logits 3.1e-7 · …`: the worst error of each kind, in the tolerance's unit. */
function summaryLine(name: string, report: Comparison): string {
  const parts = worstOf(report).map((f) => `${f.kind} ${f.problem ? 'missing' : errorText(f.error)}`);
  return `${failures(report).length ? 'FAIL' : 'ok  '} ${name.padEnd(28)} ${parts.join(' · ')}`;
}

/** For programs: the same of one file, and every field that fails. An error that is not finite is null. */
const fileJson = (file: string, report: Comparison) => ({
  kind: 'file',
  file,
  agrees: failures(report).length === 0,
  worst: worstOf(report),
  failures: failures(report),
});

/** The worst finding of each kind. */
function worstOf({ findings }: Comparison): Finding[] {
  const kinds = new Map<string, Finding>();
  for (const f of findings) {
    const worst = kinds.get(f.kind);
    if (!worst || badness(f) > badness(worst)) kinds.set(f.kind, f);
  }
  return [...kinds.values()];
}

export const failures = (report: Comparison): Finding[] => report.findings.filter((f) => !passed(f));

export const describeFailure = (f: Finding): string =>
  `     ${f.field}: ${f.problem ?? `error ${errorText(f.error)}, tolerance ${errorText(f.tolerance)}`}`;

const badness = (f: Finding): number => (f.problem ? Infinity : f.error / f.tolerance);

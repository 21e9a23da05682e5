import { dirname, join, resolve } from 'node:path';
import { AuroraError, EXIT } from '../../../base/errors';
import { durationText } from '../../../base/number-text';
import { experimentOf, experimentRuns } from '../../../runs/layout';
import { amount, verdictWords } from '../../../study/claim/claim-words';
import type { Certificate, CheckLine } from '../../../study/claim/certificate';
import { readCertificate } from '../../../sweeps/claims/certificate-file';
import { checkCertificate } from '../../../sweeps/claims/check-certificate';
import { drawRuns, replay, type Replayed } from '../../../sweeps/claims/replay';
import { one, type ParsedArgs, wholeNumber } from '../../command';
import { isQuiet, write } from '../../output';

/** `aurora claim --check CERTIFICATE`. @returns the exit code */
export async function checkCommand(args: ParsedArgs): Promise<number> {
  const { certificate, runs } = given(args);
  const faults = await faultsOf(args, certificate, runs);
  if (args.flag('json')) await emit({ kind: 'checked', faults });
  else if (faults.length === 0)
    await write(
      `The certificate follows from its ${certificate.runs.length} runs.\n${certificate.sentence}\n${verdictWords(certificate)}\n`,
    );
  else {
    const lines = faults.map(({ run, message }) => `  ${run === undefined ? '' : `${run}: `}${message}`);
    await write(`The certificate does not follow from its runs:\n${lines.join('\n')}\n`);
  }
  return faults.length === 0 ? EXIT.ok : EXIT.failed;
}

/** `aurora claim --replay N CERTIFICATE`. @returns the exit code */
export async function replayCommand(args: ParsedArgs): Promise<number> {
  const { certificate, runs } = given(args);
  const count = wholeNumber('replay', args.text('replay')!);
  if (count < 1) throw new AuroraError('usage', '--replay takes a whole number of at least 1.');
  const faults = await faultsOf(args, certificate, runs);
  if (faults.length > 0)
    throw new AuroraError(
      'run',
      `${faults[0]!.run ?? 'The certificate'}: ${faults[0]!.message}`,
      'See `aurora claim --check`: only a certificate that follows from its runs is worth training again.',
    );
  const outcomes: Replayed[] = [];
  for (const [i, chosen] of drawRuns(certificate, count).entries()) {
    const began = performance.now();
    const found = await replay(certificate, chosen, join(__dirname, 'cli.cjs'), join(runs, chosen.run));
    outcomes.push(found);
    const took = durationText((performance.now() - began) / 1000);
    if (args.flag('json')) await write(`${JSON.stringify({ kind: 'replayed', ...found })}\n`);
    else
      await write(`Run ${i + 1} of ${count}, ${found.run}: ${outcomeText(found, certificate)} (${took})\n`);
  }
  return outcomes.some(({ outcome }) => outcome === 'different') ? EXIT.failed : EXIT.ok;
}

function outcomeText({ outcome, difference }: Replayed, { frozen: { claim } }: Certificate): string {
  if (outcome === 'same') return 'the same bits';
  const size = Number.isFinite(difference)
    ? `the results differ by ${amount(claim.metric, difference)}`
    : 'training diverged';
  return outcome === 'close'
    ? `other bits, as expected of another kind of processor or runtime; ${size}`
    : `different: ${size}`;
}

function given(args: ParsedArgs): { certificate: Certificate; runs: string } {
  const path = resolve(one(args, 'certificate', 'claim'));
  const certificate = readCertificate(path);
  if (!certificate)
    throw new AuroraError(
      'usage',
      `There is no certificate ${path}.`,
      'Give the path of a certificate.json in .aurora/claims.',
    );
  return { certificate, runs: resolve(args.text('runs') ?? runsOf(path)) };
}

const emit = (line: CheckLine): Promise<void> => write(`${JSON.stringify(line)}\n`);

const faultsOf = (args: ParsedArgs, certificate: Certificate, runs: string) =>
  checkCertificate(certificate, runs, async (run, done, of) => {
    if (args.flag('json')) await emit({ kind: 'checking', run, done, of });
    else if (!isQuiet()) process.stderr.write(`Checking run ${done + 1} of ${of}, ${run}\n`);
  });

/** The folder of the runs of a certificate in its place. */
const runsOf = (certificate: string): string => experimentRuns(experimentOf(dirname(certificate)));

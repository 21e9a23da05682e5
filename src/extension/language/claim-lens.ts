import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { verdictWords } from '../../study/claim/claim-words';
import { COMMAND } from '../ids';
import type { ExperimentEntry } from '../runs/store';
import { canContinue, claimWith, phaseText } from '../words/claim-row';
import type { Analysis } from './analysis';
import { rangeOf } from './diagnostics';

/** Above "claim": the command that tests it, how far that is, or the verdict of the claim as the text has it now. */
export function claimLenses(
  document: vscode.TextDocument,
  { doc, claim }: Pick<Analysis, 'doc' | 'claim'>,
  { claims, sweeps, runs }: Pick<ExperimentEntry, 'claims' | 'sweeps' | 'runs'>,
): vscode.CodeLens[] {
  const section = doc.node('claim');
  if (!section || !claim) return [];
  const range = rangeOf(document, doc.keySpan(section));
  const lens = (title: string, command: string, argument: unknown) =>
    new vscode.CodeLens(range, { title, command, arguments: [argument] });
  const begun = claimWith(claims, claim);
  if (!begun) return [lens(`$(law) ${t('Test Claim')}`, COMMAND.testClaim, document.uri.fsPath)];
  const node = { kind: 'claim', folder: begun.folder };
  if (begun.certificate) return [lens(`$(law) ${verdictWords(begun.certificate)}`, COMMAND.openClaim, node)];
  const phase = phaseText(begun, sweeps, runs);
  if (canContinue(begun))
    return [
      lens(`$(debug-continue) ${t('Continue Claim')}`, COMMAND.continueClaim, node),
      lens(phase === '' ? t('Open Claim') : phase, COMMAND.openClaim, node),
    ];
  return [
    lens(`$(sync~spin) ${t('Claim: {0}', phase === '' ? t('starting') : phase)}`, COMMAND.openClaim, node),
    lens(t('Stop'), COMMAND.stopClaim, node),
  ];
}

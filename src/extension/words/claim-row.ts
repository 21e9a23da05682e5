import { basename } from 'node:path';
import { t } from '../../base/l10n';
import { sortedJson } from '../../base/sorted-json';
import type { ExecutorName } from '../../experiment/cluster';
import type { FrozenClaim } from '../../study/claim/certificate';
import { count } from '../../base/number-text';
import { claimOfSweep, type ClaimPhase, claimSweepFolder } from '../../runs/claim-folder';
import type { Finding } from '../../study/claim/verdict';
import { findingWords } from '../../study/claim/finding-words';
import type { ClaimEntry, ExperimentEntry, RunEntry, SweepEntry } from '../runs/store';
import { isUnfollowed } from './cluster/cluster-words';
import { ICONS, stateName, type Row, type RowContext } from './run-row';
import { doneTrials, plannedTrials, trialsOf } from './sweep-row';

/** The claim in words, or its name if they are lost. */
export const claimTitle = ({ certificate, progress, folder }: ClaimEntry): string =>
  certificate?.sentence ?? progress?.sentence ?? basename(folder);

/** The sweeps of a claim that have begun. */
export function sweepsOfClaim(
  { folder }: Pick<ClaimEntry, 'folder'>,
  sweeps: readonly SweepEntry[],
): Partial<Record<ClaimPhase, SweepEntry>> {
  const find = (phase: ClaimPhase) => sweeps.find((s) => s.folder === claimSweepFolder(folder, phase));
  const [search, test] = [find('search'), find('test')];
  return { ...(search && { search }), ...(test && { test }) };
}

/** The place where a claim's trials are trained: that of its last sweep. Undefined before the first one. */
export function placeOfClaim(
  claim: Pick<ClaimEntry, 'folder'>,
  sweeps: readonly SweepEntry[],
): ExecutorName | undefined {
  const { search, test } = sweepsOfClaim(claim, sweeps);
  const last = test ?? search;
  return last && (last.record.on ?? 'local');
}

/** The claim that an experiment's sweep belongs to, if it is still there. */
export function claimOf(sweep: string, { claims }: Pick<ExperimentEntry, 'claims'>): ClaimEntry | undefined {
  const found = claimOfSweep(sweep)?.claim;
  return found === undefined ? undefined : claims.find((c) => c.folder === found);
}

/** The claim with these settings, if it is not damaged. Its model and its data may have changed since. */
export function claimWith(
  claims: readonly ClaimEntry[],
  settings: Pick<FrozenClaim, 'claim' | 'looks' | 'experiment'>,
): ClaimEntry | undefined {
  const textOf = ({ claim, looks, experiment }: typeof settings) => sortedJson([claim, looks, experiment]);
  const text = textOf(settings);
  return claims.find(({ frozen, state }) => frozen && state !== 'damaged' && textOf(frozen) === text);
}

/** The phase that a claim is in, and its trials: "test: 3 of 10"; empty before the first one. */
export function phaseText(
  claim: ClaimEntry,
  sweeps: readonly SweepEntry[],
  runs: readonly RunEntry[],
): string {
  const { search, test } = sweepsOfClaim(claim, sweeps);
  const now = test ?? search;
  if (!now) return '';
  const done = count(doneTrials(trialsOf(now, runs)));
  const planned = count(plannedTrials(now.record));
  return test ? t('test: {0} of {1}', done, planned) : t('search: {0} of {1}', done, planned);
}

const VERDICTS: Record<Finding, Row['icon']> = {
  supported: ICONS.finished,
  small: { id: 'pass', color: 'testing.iconPassed' },
  refuted: { id: 'circle-slash' },
  open: { id: 'question' },
};

/** A claim as a row above the runs: the sentence, and how far it is or its verdict. */
export function claimRow(
  claim: ClaimEntry,
  sweeps: readonly SweepEntry[],
  runs: readonly RunEntry[],
  { trusted }: RowContext,
): Row {
  const { state, certificate } = claim;
  const label = t('Claim: {0}', claimTitle(claim));
  const parts = certificate
    ? [findingWords(certificate.verdict)]
    : [state === 'closed' ? '' : stateName(state), phaseText(claim, sweeps, runs)].filter(
        (part) => part !== '',
      );
  const icon =
    certificate && state === 'closed'
      ? VERDICTS[certificate.verdict]
      : ICONS[state === 'closed' ? 'finished' : state];
  return {
    label,
    description: parts.join(' · '),
    icon,
    capabilities: [
      'claim',
      'canOpenClaim',
      // Trials can be in a cluster's queue while nobody follows the claim.
      ...(state === 'running' || (trusted && isUnfollowedClaim(claim, sweeps)) ? ['canStopClaim'] : []),
      ...(canContinue(claim) && trusted ? ['canContinueClaim'] : []),
      ...(state === 'closed' ? ['canOpenCertificate'] : []),
    ],
    spoken: [label, ...parts].join(', '),
  };
}

const isUnfollowedClaim = (claim: ClaimEntry, sweeps: readonly SweepEntry[]): boolean =>
  Object.values(sweepsOfClaim(claim, sweeps)).some(isUnfollowed);

/** True for a claim that is neither closed nor being tested. */
export const canContinue = ({ state }: ClaimEntry): boolean =>
  state === 'stopped' || state === 'failed' || state === 'lost';

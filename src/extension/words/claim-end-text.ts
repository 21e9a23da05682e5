import { t } from '../../base/l10n';
import { experimentName } from '../../runs/layout';
import { verdictWords } from '../../study/claim/claim-words';
import type { ClaimEntry } from '../runs/store';
import type { EndNotice } from './end-text';

/** The notification for a claim whose process has ended. */
export function claimEndText({ state, certificate, progress, problem, experiment }: ClaimEntry): EndNotice {
  const name = experimentName(experiment);
  if (certificate && state === 'closed')
    return { kind: 'information', message: `${verdictWords(certificate)} ${certificate.sentence}` };
  if (problem !== undefined) return { kind: 'error', message: problem };
  if (state === 'failed') {
    const { message = '', hint = '' } = progress?.error ?? {};
    const parts = [t('The claim of {0} ended with an error.', name), message, hint];
    return { kind: 'error', message: parts.filter((part) => part !== '').join(' ') };
  }
  return state === 'lost'
    ? {
        kind: 'error',
        message: t('The claim of {0} ended unexpectedly. Use Continue Claim to continue it.', name),
      }
    : { kind: 'information', message: t('The claim of {0} was stopped, and everything is saved.', name) };
}

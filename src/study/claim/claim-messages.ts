import { isText } from '../../base/guards';
import type { PageTrial, PageTrialState, QueueState } from '../../protocol/panels/sweep';
import type { Certificate, CertificateFault, FrozenClaim, Look } from './certificate';
import type { AnnouncedCost } from './claim-files';
import type { SearchSoFar } from './claim-report';

/** The subject of the Claim page: the absolute path of a claim's folder. */
export interface ClaimOpen {
  claim: string;
}

/** `closed`: it has a certificate. `gone`: its folder was deleted. */
export type ClaimState = 'running' | 'stopped' | 'failed' | 'lost' | 'damaged' | 'closed' | 'gone';

/** Everything that the page shows of a claim. */
export interface ClaimFacts {
  folder: string;
  /** The experiment's name in the tree. */
  experiment: string;
  /** The beginning of the hash, which is the folder's name. */
  name: string;
  state: ClaimState;
  sentence: string;
  /** A file that cannot be read, in a full sentence. */
  problem?: string;
  /** The error that ended the last attempt. */
  error?: { message: string; hint?: string };
  /** Undefined if it is damaged. */
  frozen?: FrozenClaim;
  /** The methods by name. */
  labels: string[];
  certificate?: Certificate;
  cost?: AnnouncedCost;
  /** By method; none before the first trial. */
  search: SearchSoFar[];
  looks: Look[];
  /** The sweep that it has come to, while it is open. */
  phase?: ClaimPhaseFacts;
  /** By seed, then by method. */
  tests: TestRow[];
  /** True if it can be continued here. */
  canContinue: boolean;
  /** True if its certificate can be checked here. */
  canCheck: boolean;
}

export interface ClaimPhaseFacts {
  phase: 'search' | 'test';
  state: QueueState;
  /** Trials that train in parallel; undefined before the machine was measured. */
  parallel?: number;
  trials: PageTrial[];
}

/** A run of the test. */
export interface TestRow {
  /** The index of its method. */
  method: number;
  seed: number;
  /** The usual name: "#12 seed 3"; its folder's name if there is no run any more. */
  name: string;
  state: PageTrialState;
  /** The folder of its run, if that is there. */
  run?: string;
  /** The metric by form, once the claim is closed. */
  results: Partial<Record<'trained' | 'fitted', number>>;
}

/** The check of a certificate against its runs. */
export type Checked =
  { state: 'checking' } | { state: 'good'; runs: number } | { state: 'faults'; faults: CertificateFault[] };

export type ClaimToPage =
  | { type: 'claim'; facts: ClaimFacts }
  /** Undefined if the check was not possible; the host has said why. */
  | { type: 'checked'; checked?: Checked }
  | { type: 'error'; message: string };

export const CLAIM_ACTIONS = [
  'stop',
  'continue',
  'certificate',
  'check',
  'experiment',
  'search',
  'test',
] as const;
/** `search` and `test` open the page of the claim's sweep. */
export type ClaimAction = (typeof CLAIM_ACTIONS)[number];

export type ClaimFromPage =
  | { type: 'action'; action: ClaimAction }
  /** Opens a run's dashboard. */
  | { type: 'open'; run: string }
  | { type: 'copy'; text: string };

/** A message from the page; undefined if it is of an unknown kind or incomplete. */
export function parseClaimMessage(value: unknown): ClaimFromPage | undefined {
  const { type, action, run, text } = (value ?? {}) as Record<string, unknown>;
  switch (type) {
    case 'action': {
      const known = CLAIM_ACTIONS.find((a) => a === action);
      return known && { type, action: known };
    }
    case 'open':
      return isText(run) ? { type, run } : undefined;
    case 'copy':
      return isText(text) ? { type, text } : undefined;
    default:
      return undefined;
  }
}

/** Parses the subject of a panel that a reload restores. The host checks that the path is absolute. */
export function parseClaimOpen(value: unknown): ClaimOpen | undefined {
  const { claim } = (value ?? {}) as Record<string, unknown>;
  return isText(claim) ? { claim } : undefined;
}

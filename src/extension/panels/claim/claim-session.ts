import type { ClaimFacts, ClaimToPage } from '../../../study/claim/claim-messages';
import type { ClaimEntry, RunEntry, SweepEntry } from '../../runs/store';
import type { RowContext } from '../../words/run-row';
import { claimFacts } from './claim-facts';

/** The editor's side, so that the rest runs without VS Code. */
export interface ClaimHost {
  post(message: ClaimToPage): void;
  /** The claim with the sweeps and runs of its experiment, or why there is none; `unwritten`: it is not frozen yet. */
  read(): Promise<
    { claim: ClaimEntry; sweeps: readonly SweepEntry[]; runs: readonly RunEntry[] } | 'gone' | 'unwritten'
  >;
  context(): RowContext;
  failed(error: unknown): void;
}

/** Sends a page its claim: on request, then after each change, until `hide`. */
export class ClaimSession {
  private facts: ClaimFacts | undefined;
  private sent = '';
  private visible = false;
  /** The looks, one after the other. */
  private looks: Promise<void> = Promise.resolve();

  constructor(private readonly host: ClaimHost) {}

  snapshot(): void {
    this.visible = true;
    this.sent = '';
    this.look();
  }

  /** Sends the claim if it has changed. */
  look(): void {
    if (!this.visible) return;
    this.looks = this.looks.then(() => this.send()).catch((e: unknown) => this.failed(e));
  }

  hide(): void {
    this.visible = false;
  }

  private failed(e: unknown): void {
    this.host.failed(e);
    this.host.post({ type: 'error', message: e instanceof Error ? e.message : String(e) });
  }

  private async send(): Promise<void> {
    const read = await this.host.read();
    if (!this.visible || read === 'unwritten') return;
    this.facts =
      read === 'gone'
        ? { ...(this.facts ?? NOTHING), state: 'gone', canContinue: false, canCheck: false }
        : claimFacts(read.claim, read.sweeps, read.runs, this.host.context());
    const text = JSON.stringify(this.facts);
    if (text === this.sent) return;
    this.sent = text;
    this.host.post({ type: 'claim', facts: this.facts });
  }
}

/** The facts of a claim that was deleted before it was shown. */
const NOTHING: ClaimFacts = {
  folder: '',
  experiment: '',
  name: '',
  state: 'gone',
  sentence: '',
  labels: [],
  search: [],
  looks: [],
  tests: [],
  canContinue: false,
  canCheck: false,
};

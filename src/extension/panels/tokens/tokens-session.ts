import type { TokensChoice, TokensToPage } from '../../../protocol/panels/tokens';
import type { TokenRow } from '../../../protocol/tokens';
import { errorText } from '../../words/error-text';

/** The editor's side, so that the rest runs without VS Code. */
export interface TokensHost {
  experiment: string;
  post(message: TokensToPage): void;
  /** Reads a row in the trainer program; an aborted request may reject. */
  read(choice: TokensChoice, signal: AbortSignal): Promise<TokenRow>;
  failed(error: unknown): void;
}

/** Answers a page with the row that it asked for last. */
export class TokensSession {
  private choice: TokensChoice | undefined;
  private shown: TokenRow | undefined;
  private reading: AbortController | undefined;

  constructor(private readonly host: TokensHost) {}

  /** The row on the page. */
  get row(): TokenRow | undefined {
    return this.shown;
  }

  /** A page that is shown again asks for the row it had, which needs no reading. */
  show(choice: TokensChoice): void {
    const isKnown = JSON.stringify(choice) === JSON.stringify(this.choice);
    if (isKnown && this.shown && !this.reading) return this.post(this.shown);
    this.choice = choice;
    void this.read();
  }

  /** Reads the row again: the experiment or its data have changed. */
  refresh(): void {
    if (this.choice) void this.read();
  }

  dispose(): void {
    this.reading?.abort();
  }

  private async read(): Promise<void> {
    this.reading?.abort();
    const own = (this.reading = new AbortController());
    this.host.post({ type: 'reading' });
    try {
      const row = await this.host.read(this.choice!, own.signal);
      if (own.signal.aborted) return;
      this.shown = row;
      this.post(row);
    } catch (e) {
      if (own.signal.aborted) return;
      this.shown = undefined;
      this.host.failed(e);
      this.host.post({ type: 'error', message: errorText(e) });
    } finally {
      if (this.reading === own) this.reading = undefined;
    }
  }

  private post(row: TokenRow): void {
    this.host.post({ type: 'row', experiment: this.host.experiment, row });
  }
}

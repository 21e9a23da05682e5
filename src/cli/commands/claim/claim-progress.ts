import { join } from 'node:path';
import type { ClaimLine } from '../../../study/claim/certificate';
import { claimReport } from '../../../study/claim/claim-report';
import { costWords, valuesText } from '../../../study/claim/claim-words';
import { clearLine, redraw } from '../../bar';
import { isQuiet, isScreen, write } from '../../output';
import { terminalText } from '../../report-text';

/** A claim's progress as lines; results go to stdout, and everything before them to stderr. */
export class ClaimLines {
  async show(line: ClaimLine): Promise<void> {
    if (line.kind === 'result') {
      const { title, parts } = claimReport(line.certificate);
      await write(
        `\n${title}\n${terminalText(parts)}\nCertificate: ${join(line.folder, 'certificate.md')}\n`,
      );
      return;
    }
    if (isQuiet()) return;
    if (line.kind === 'measuring') return this.measuring(line);
    const text = textOf(line);
    if (text !== undefined) process.stderr.write(`${text}\n`);
  }

  private measuring({ done, of }: Extract<ClaimLine, { kind: 'measuring' }>): void {
    if (!isScreen(process.stderr)) return;
    if (done + 1 < of) redraw(process.stderr, `Measuring run ${done + 1} of ${of}…`);
    else clearLine(process.stderr);
  }
}

function textOf(line: ClaimLine): string | undefined {
  switch (line.kind) {
    case 'frozen':
      return `${line.sentence}\nIts folder is ${line.folder}`;
    case 'cost':
      return costWords(line).join(' ');
    case 'phase':
      if (line.phase === 'test') return `\nTest with ${line.seeds} seeds`;
      return line.round
        ? '\nSearch, extended: the best value of a method was at the end of its list'
        : '\nSearch';
    case 'searched':
      return `${line.label}: best with ${valuesText(line.chosen)}`;
    case 'look':
      return line.look.verdict === 'open' ? `After ${line.look.seeds} seeds: undecided` : undefined;
    default:
      return undefined;
  }
}

import * as vscode from 'vscode';
import { t } from '../../base/l10n';
import { isHubReference, parseHubReference } from '../../experiment/hub-reference';
import { fileKeys } from './checks/check-files';
import { rangeOf } from './diagnostics';
import { hoverAt } from './hover-text';
import type { LiveExperiments } from './live';
import { suggestionsAt } from './suggestions';

const KIND = {
  file: vscode.CompletionItemKind.File,
  module: vscode.CompletionItemKind.Module,
  column: vscode.CompletionItemKind.Field,
  output: vscode.CompletionItemKind.Variable,
  setting: vscode.CompletionItemKind.Property,
};

/** Completion beyond the schema, hovers about the model and the data, and links to the files. */
export class ExperimentAssistance
  implements vscode.CompletionItemProvider, vscode.HoverProvider, vscode.DocumentLinkProvider
{
  constructor(private readonly live: LiveExperiments) {}

  async provideCompletionItems(
    document: vscode.TextDocument,
    position: vscode.Position,
  ): Promise<vscode.CompletionItem[]> {
    const [analysis, known] = await Promise.all([this.live.of(document), this.live.files.all()]);
    // A model that has been read since is better than one still being read.
    const latest = this.live.latest(document);
    const model = analysis.model.state === 'reading' && latest ? latest.model : analysis.model;
    const found = suggestionsAt({ ...analysis, model }, document.offsetAt(position), known);
    if (!found) return [];
    const { span, quoted, suggestions } = found;
    return suggestions.map(({ kind, value, detail }, i) => {
      const item = new vscode.CompletionItem({ label: value, description: detail }, KIND[kind]);
      const json = JSON.stringify(value);
      item.insertText = quoted ? json.slice(1, -1) : json;
      // Names with dots and slashes extend beyond the editor's words.
      item.range = rangeOf(document, span);
      item.filterText = item.insertText;
      item.sortText = `0${String(i).padStart(5, '0')}`;
      return item;
    });
  }

  async provideHover(
    document: vscode.TextDocument,
    position: vscode.Position,
  ): Promise<vscode.Hover | undefined> {
    const hover = hoverAt(await this.live.of(document), document.offsetAt(position));
    if (!hover) return undefined;
    const text = new vscode.MarkdownString();
    for (const block of blocks(hover.lines))
      if (block.code) text.appendCodeblock(block.lines.join('\n'), 'text');
      else text.appendText(block.lines.join('\n')).appendMarkdown('\n\n');
    return new vscode.Hover(text, rangeOf(document, hover.span));
  }

  async provideDocumentLinks(document: vscode.TextDocument): Promise<vscode.DocumentLink[]> {
    const { doc, findings } = await this.live.of(document);
    return fileKeys(doc).flatMap(({ path }) => {
      const node = doc.node(...path);
      const written = doc.string(...path);
      if (
        !node ||
        written === undefined ||
        (isHubReference(written) && !parseHubReference(written)) ||
        findings.some((f) => f.offset === node.offset && /^file-/.test(f.code))
      )
        return [];
      const inner = { offset: node.offset + 1, length: node.length - 2 };
      const link = new vscode.DocumentLink(rangeOf(document, inner), vscode.Uri.file(doc.resolve(written)));
      link.tooltip = t('Open the file');
      return [link];
    });
  }
}

/** Indented lines, such as lists of modules, go into fixed-width blocks. */
function blocks(lines: readonly string[]): { code: boolean; lines: string[] }[] {
  const found: { code: boolean; lines: string[] }[] = [];
  for (const line of lines) {
    const code = line.startsWith('    ');
    const last = found.at(-1);
    if (last?.code === code) last.lines.push(line.trim());
    else found.push({ code, lines: [line.trim()] });
  }
  return found;
}

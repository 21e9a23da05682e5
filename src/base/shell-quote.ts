/** Characters that no shell reads as anything else. A leading tilde or dash has a special meaning. */
const PLAIN = /^(?![~-])[\w@%+=:,./-]+$/;
/** A string that needs no quotes in cmd and PowerShell. */
const PLAIN_WINDOWS = /^(?![~-])[\w+=:./\\-]+$/;

/** A path or another argument, as it can be pasted into a shell: in quotes if it has spaces, quotes or the like. */
export function shellQuote(text: string, platform: NodeJS.Platform = process.platform): string {
  if (platform === 'win32') return PLAIN_WINDOWS.test(text) ? text : `"${text.replaceAll('"', '\\"')}"`;
  return PLAIN.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
